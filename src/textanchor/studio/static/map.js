// The tab Map: a source's items as points, what they are coloured by, the item of a point, and a lasso to label many at once.

import { get, post } from "./api.js";
import { el, media } from "./dom.js";
import { Scatter } from "./scatter.js";
import { askedWho } from "./studio.js";

const COLOURS = ["#1f6fc4", "#e8890c", "#14935a", "#d468a8", "#4fb3e8", "#c8372d", "#7a52b3", "#8fa300", "#8a5a3c", "#12b3a8", "#5563d6", "#f2c14e"];
const GREY = "#9aa4af";

export function start(root, sources) {
  const canvas = el("canvas.ta-canvas", { tabindex: 0, role: "application", "aria-label": "Map of items. Arrow keys go from point to point, plus and minus zoom.", "aria-describedby": "ta-map-told" });
  const source = el("select", { "aria-label": "Map of" }, sources.map(([name, id]) => el("option", { value: id }, name)));
  const colour = el("select", { "aria-label": "Coloured by" });
  const lasso = el("button.ta-button", { type: "button", "aria-pressed": "false" }, "Lasso");
  const whole = el("button.ta-button", { type: "button" }, "Whole map");
  const told = el("p.ta-told", { role: "status", id: "ta-map-told" });
  const legend = el("ul.ta-legend"), side = el("aside.ta-side", { "aria-label": "The item" }, hint());
  const chosen = el("div.ta-chosen", { role: "group", "aria-label": "Chosen items", hidden: true });
  root.replaceChildren(
    el("div.ta-bar", {}, el("label", { hidden: sources.length < 2 }, "Map of ", source), el("label", {}, "Coloured by ", colour), lasso, whole),
    el("div.ta-map", {}, el("div.ta-plot", {}, canvas, legend), side),
    chosen, told,
  );
  const scatter = new Scatter(canvas);
  let points = null, hidden = new Set();

  async function load() {
    const id = source.value;
    try {
      const found = await get(`/studio/map/${id}`);
      if (id !== source.value) return;
      if (found.state === "working") {
        told.textContent = `Laying out ${found.items.toLocaleString("en")} items; this happens once.`;
        setTimeout(load, 1000);
      } else if (found.state === "empty") told.textContent = "There is no item to lay out.";
      else shown(found);
    } catch (why) { told.textContent = why.message; }
  }

  function shown(found) {
    const before = colour.value;
    points = found;
    colour.replaceChildren(...found.colours.map((one) => el("option", { value: one.name }, one.name === "error" ? "likely error" : one.name)));
    if (found.colours.some((one) => one.name === before)) colour.value = before;
    const placed = found.x.filter((x) => x >= 0).length, more = found.total > found.keys.length ? ` of ${found.total.toLocaleString("en")}, evenly taken` : "";
    told.textContent = `${placed.toLocaleString("en")} items${more}. Neighbours are alike; other distances mean nothing. Click a point to see its item.`;
    coloured();
    scatter.show(found.x.map((x) => x / 10000), found.y.map((y) => y / 10000));
    scatter.fit();
  }

  function coloured() {
    const by = points.colours.find((one) => one.name === colour.value);
    hidden = new Set();
    if (by.values) {
      scatter.shape = (i) => (by.codes[i] < 0 ? 0 : by.codes[i]);
      scatter.colour = (i) => (hidden.has(by.codes[i]) ? null : by.codes[i] < 0 ? GREY : COLOURS[by.codes[i]]);
      const codes = [...by.values.keys(), ...(by.codes.includes(-1) ? [-1] : [])];
      legend.replaceChildren(...codes.map((code) => entry(code, code < 0 ? "other" : by.values[code], by.codes.filter((one) => one === code).length)));
    } else {
      scatter.shape = () => 0;
      scatter.colour = (i) => (by.numbers[i] === null ? GREY : shade(by.numbers[i]));
      legend.replaceChildren(el("li.ta-ramp", {}, el("span", {}, "0 %"), el("i", { style: `background:linear-gradient(90deg,${[0, 0.25, 0.5, 0.75, 1].map(shade)})` }), el("span", {}, "100 % likely wrong")));
    }
    scatter.draw();
  }

  function entry(code, name, count) {
    const button = el("button", { type: "button", "aria-pressed": "true", title: "Show or hide" }, el("i", { style: `background:${code < 0 ? GREY : COLOURS[code]}` }), el("span", {}, name), el("small", {}, String(count)));
    button.addEventListener("click", () => {
      hidden.delete(code) || hidden.add(code);
      button.setAttribute("aria-pressed", String(!hidden.has(code)));
      scatter.draw();
    });
    return el("li", {}, button);
  }

  async function picked(i) {
    const facts = points.colours.map((one) => [one.name === "error" ? "likely error" : one.name, one.values ? one.values[one.codes[i]] : one.numbers[i] === null ? null : `${Math.round(100 * one.numbers[i])} %`]);
    try {
      const card = await get(`/studio/item/${source.value}/${points.keys[i]}`);
      side.replaceChildren(media(card), el("p.ta-name", { title: card.name }, card.name), el("dl", {}, facts.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
    } catch (why) { side.replaceChildren(el("p.ta-hint", { role: "alert" }, why.message)); }
  }

  function gathered(found) {
    chosen.hidden = !found.length;
    if (!found.length) return;
    const count = `${found.length.toLocaleString("en")} item${found.length > 1 ? "s" : ""} chosen`;
    const parts = [el("strong", {}, count)];
    if (points.labelling) {
      const which = el("select", { "aria-label": "Class" }, points.classes.map((one) => el("option", { value: one.key }, one.key)));
      const label = el("button.ta-button.ta-main", { type: "button" }, `Label ${found.length.toLocaleString("en")}`);
      label.addEventListener("click", () => decided(found, which.value, label));
      parts.push(el("label", {}, "Label as ", which), label);
    }
    parts.push(el("button.ta-button", { type: "button", onclick: () => scatter.choose([]) }, "Let go"));
    chosen.replaceChildren(...parts);
  }

  async function decided(found, key, button) {
    const who = await askedWho();
    if (!who) return;
    button.disabled = true;
    try {
      await post(`/studio/label/${source.value}/decide`, { who, how: "bulk", choices: found.map((i) => ({ key: points.keys[i], kind: "label", classes: [key] })) });
      scatter.choose([]);
      await load();
      told.textContent = `Labelled ${found.length} as ${key}. Undo in the tab Label with Z.`;
    } catch (why) { told.textContent = why.message; }
    button.disabled = false;
  }

  scatter.addEventListener("pick", (event) => picked(event.detail));
  scatter.addEventListener("choose", (event) => gathered(event.detail));
  source.addEventListener("change", () => { scatter.choose([]); scatter.at = -1; side.replaceChildren(hint()); load(); });
  colour.addEventListener("change", coloured);
  whole.addEventListener("click", () => scatter.whole());
  lasso.addEventListener("click", () => {
    scatter.lassoing = !scatter.lassoing;
    lasso.setAttribute("aria-pressed", String(scatter.lassoing));
    canvas.classList.toggle("ta-lassoing", scatter.lassoing);
  });
  root.taScatter = scatter; // for tests, which cannot see where a point is drawn
  whenSeen(root, load);
}

function hint() {
  return el("p.ta-soft", {}, "Click a point, or go from point to point with the arrow keys. With the lasso, draw around points to choose them.");
}

/** Nothing is asked for before the tab is opened, and again each time it is. */
function whenSeen(root, act) {
  new IntersectionObserver((entries) => { if (entries.some((one) => one.isIntersecting)) act(); }).observe(root);
}

/** From blue (surely right) to orange (likely wrong). */
function shade(share) {
  const mix = [[0, 114, 178], [214, 214, 200], [213, 94, 0]], place = share * 2, low = Math.min(1, Math.floor(place)), part = place - low;
  return `rgb(${mix[low].map((one, k) => Math.round(one + (mix[low + 1][k] - one) * part))})`;
}
