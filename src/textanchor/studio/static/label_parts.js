// What the tab Label looks like: the strip with progress, error and what is left; one item; tiles of many.

import { el, media } from "./dom.js";
import { keysOf, showsHelp } from "./label_classes.js";
import { asksPromise } from "./label_promise.js";

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const OF_WORK = /left to people|more labels|would free|of groups/; // what the machine says of the work that is left
const count = (number) => number.toLocaleString("en");

/** Progress, estimated error and remaining work, always in sight. */
export function strip(desk) {
  const told = desk.standing;
  if (!told) return;
  const { progress } = told, all = progress.items || 1, people = progress.labelled, rest = progress.none + progress.unsure;
  const bar = el("div.ta-progress", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": all, "aria-valuenow": people + progress.machine + rest, "aria-label": "Decided" },
    el("i.ta-people", { style: `width:${(100 * people) / all}%` }), el("i.ta-machine", { style: `width:${(100 * progress.machine) / all}%` }), el("i.ta-rest", { style: `width:${(100 * rest) / all}%` }));
  const modes = ["one", "grid", "cluster"].map((mode) => el("button.ta-button", { type: "button", "aria-pressed": String(desk.mode === mode), onclick: () => desk.trying(() => desk.turn(mode)) }, { one: "One", grid: "Grid", cluster: "Cluster" }[mode]));
  const projects = el("select", { "aria-label": "Project", onchange: (event) => { desk.id = event.target.value; localStorage.setItem("textanchor-project", desk.id); desk.queue = []; desk.sent.clear(); desk.group = null; desk.opened(); } },
    desk.sources.map(([name, id]) => el("option", { value: id, selected: id === desk.id }, name)));
  desk.bar.replaceChildren(
    el("div.ta-bar", {}, desk.sources.length > 1 ? el("label", {}, "Project ", projects) : null, el("div.ta-modes", { role: "group", "aria-label": "How many at once" }, modes), stream(desk), machine(desk), exports(desk),
      el("button.ta-button.ta-help", { type: "button", "aria-label": "Keys", title: "Keys", onclick: () => showsHelp(desk.mode) }, "?")),
  );
  desk.head.replaceChildren(
    bar,
    el("dl.ta-three", { "aria-live": "polite" },
      figure("Done", `${count(people + progress.machine)} of ${count(progress.items)}`, [`${count(people)} by people`, `${count(progress.machine)} by the machine`, rest ? `${count(progress.none)} none, ${count(progress.unsure)} unsure` : "", progress.disagreements ? `${count(progress.disagreements)} in dispute` : ""]),
      figure("Estimated error", wrong(told), promise(told)),
      figure("Left", `${count(progress.open)} open`, told.run ? told.says.filter((one) => OF_WORK.test(one)).concat(told.through ? [`${count(told.through)} can be taken over`] : []) : ["let the machine propose when a few are labelled"])),
  );
}

function figure(name, value, more) {
  const said = more.filter(Boolean).join("; ");
  return el("div", {}, el("dt", {}, name), el("dd", {}, el("b", {}, value), el("small", { title: said, onclick: (event) => event.currentTarget.classList.toggle("ta-whole") }, said)));
}

function wrong(told) {
  if (told.audited) return `${percent(told.audited.share)} of the machine's`;
  return told.accuracy === null ? "not known yet" : `${percent(1 - told.accuracy)} of proposals`;
}

function promise(told) {
  if (told.audited) return [`${told.audited.wrong} of ${told.audited.shown} looked at; ${percent(told.audited.low)} to ${percent(told.audited.high)}`];
  return told.run ? told.says.filter((one) => !OF_WORK.test(one)) : ["nothing is proposed yet"];
}

function machine(desk) {
  const { through, working } = desk.standing;
  const go = el("button.ta-button", { type: "button", disabled: working, onclick: async () => { const told = await asksPromise(); if (told) desk.propose(told); } }, working ? "Proposing …" : "Propose …");
  const take = through ? el("button.ta-button.ta-main", { type: "button", disabled: working, onclick: () => desk.take() }, `Take over ${count(through)}`) : null;
  return el("div.ta-machine-bar", { role: "group", "aria-label": "The machine" }, go, take);
}

/** What is asked: as the project sees fit, or labels that are hard to believe, or what was taken over, to know how often that is wrong. */
function stream(desk) {
  const { progress, run } = desk.standing;
  if (desk.mode !== "one" || !run) return null;
  const kinds = [["mixed", "Ask what helps"], ["suspects", "Doubtful labels again"], ...(progress.machine ? [["audit", "Audit what was taken over"]] : [])];
  return el("select", { "aria-label": "What is asked", onchange: (event) => { desk.stream = event.target.value; desk.queue = []; desk.trying(() => desk.fetch(true)); } },
    kinds.map(([value, name]) => el("option", { value, selected: value === desk.stream }, name)));
}

function exports(desk) {
  const formats = JSON.parse(desk.root.dataset.formats || "[]");
  if (!formats.length) return null;
  const known = formats.filter(([name]) => name !== "certificate" || desk.standing.run);
  return el("details.ta-export", {}, el("summary.ta-button", {}, "Export"), el("ul", {}, known.map(([name, label]) => el("li", {}, el("a", { href: desk.at(`/export/${name}`), download: "" }, label)))));
}

/** One item in large, with what is proposed and all that may be said of it. */
export function onePage(desk, told) {
  const keys = new Map([...keysOf(desk.standing.classes, told.likely)].map(([key, name]) => [name, key]));
  const chances = new Map(told.likely), few = desk.standing.classes.length <= 24;
  const shown = few ? desk.standing.classes.map((one) => one.key) : told.likely.map(([key]) => key);
  const classes = shown.map((name) => el("button.ta-class", { type: "button", "data-class": name, "aria-pressed": desk.standing.multi ? "false" : null, onclick: () => desk.choose(name) },
    el("kbd", {}, keys.get(name) || ""), el("span", {}, name), chances.get(name) >= 0.005 ? el("small", {}, percent(chances.get(name))) : null));
  const accept = told.proposed.length ? el("button.ta-accept", { type: "button", onclick: () => desk.accept() }, el("kbd", {}, "Enter"), el("span", {}, `Accept: ${told.proposed.join(", ")}`), el("small", {}, percent(told.probability))) : el("p.ta-soft", {}, "Nothing is proposed yet.");
  const given = told.classes.length ? el("p.ta-given", {}, `Labelled as ${told.classes.join(", ")}`) : null;
  return el("div.ta-one", { "data-key": told.key },
    el("figure.ta-item", {}, media(told.card, { large: true, autoplay: true }), el("figcaption", { title: told.card.name }, told.card.name)),
    el("div.ta-answers", {}, given, accept, el("div.ta-classes", { role: "group", "aria-label": "Classes" }, classes),
      el("div.ta-others", { role: "group", "aria-label": "Other answers" },
        button("O", "Other class", () => desk.other()), button("U", "Unsure", () => desk.decide("unsure")), button("N", "None", () => desk.decide("none")), button("S", "Skip", () => desk.skip()), button("Z", "Undo", () => desk.undo()))));
}

function button(key, name, act) {
  return el("button.ta-button", { type: "button", onclick: act }, el("kbd", {}, key), ` ${name}`);
}

/** Items of one proposal, or of a cluster, to be labelled at once. */
export function tiles(desk) {
  const { group, kept } = desk, which = group || desk.mode === "cluster";
  const all = group ? group.keys.length : kept.length;
  const words = group ? `All {} are ${group.suggested || "…"}` : "Accept {}";
  const act = el("button.ta-button.ta-main", { type: "button", "data-all": words, disabled: !all || (group && !group.suggested), onclick: () => desk.all("") }, el("kbd", {}, "Enter"), " ", el("span", {}, words.replace("{}", String(all))));
  const bar = el("div.ta-bar", {}, which ? clusterBar(desk) : gridBar(desk), act, button("O", "Other class", () => desk.other()), button("Z", "Undo", () => desk.undo()));
  const body = !kept.length ? el("p.ta-hint", {}, which ? "No undecided item is left." : desk.standing.run ? "No open item is proposed as this." : "Nothing is proposed yet: label a few items one by one, then let the machine propose.")
    : group ? el("div", {}, el("h3", {}, "Centre: the most typical"), wall(desk, group.centre, 0), group.edge.length ? el("h3", {}, "Edge: the least typical") : null, wall(desk, group.edge, group.centre.length)) : wall(desk, kept, 0);
  const part = group && all > kept.length ? `${count(kept.length)} of ${count(all)} items are shown, and the class is for all of them. ` : "";
  const how = kept.length ? el("p.ta-how", {}, `${part}Click an item that looks wrong, or press X on it, to leave it out.`) : null;
  desk.body.replaceChildren(...[bar, how, body].filter(Boolean));
  desk.body.querySelector(".ta-tile")?.focus({ preventScroll: true });
}

function gridBar(desk) {
  const names = [["", "any class"], ...desk.standing.classes.map((one) => [one.key, one.key])];
  const which = el("select", { "aria-label": "Proposed as", onchange: (event) => { desk.filter.proposed = event.target.value; desk.trying(() => desk.grid()); } }, names.map(([value, name]) => el("option", { value, selected: value === desk.filter.proposed }, name)));
  const order = el("select", { "aria-label": "Order", onchange: (event) => { desk.filter.surest = event.target.value === "surest"; desk.trying(() => desk.grid()); } }, [["surest", "surest first"], ["least", "least sure first"]].map(([value, name]) => el("option", { value, selected: (value === "surest") === desk.filter.surest }, name)));
  return el("div.ta-modes", {}, which, order);
}

function clusterBar(desk) {
  const { group } = desk;
  return el("div.ta-modes", {}, el("strong", {}, group ? `Cluster ${group.number + 1} of ${group.count}: ${count(group.keys.length)} items` : "No cluster"),
    button("K", "Previous", () => desk.step(-1)), button("J", "Next", () => desk.step(1)), el("button.ta-button", { type: "button", onclick: () => desk.trying(() => desk.cluster(0, true)) }, "Cluster anew"));
}

function wall(desk, many, before) {
  return el("div.ta-wall", { role: "group", "aria-label": "Items" }, many.map((told, place) => {
    const tile = el("div.ta-tile", { tabindex: place + before ? -1 : 0, role: "group", "data-key": told.key, "data-name": told.card.name, "aria-label": `${told.card.name}, ${told.proposed.join(", ") || "nothing proposed"}` },
      media(told.card), el("p.ta-name", { title: told.card.name }, told.card.name.split("/").pop()), el("p.ta-score", {}, told.proposed.length ? `${told.proposed.join(", ")} ${percent(told.probability)}` : " "));
    tile.addEventListener("click", (event) => { if (!event.target.closest("button, audio, video")) desk.out(tile); });
    return tile;
  }));
}
