// The tab Label: one item, a grid or a cluster at a time; keys that work while a sound plays and never while somebody writes.
// What was decided is shown at once and sent in order; it is said to be saved when the studio says that it is on disk.

import { get, post } from "./api.js";
import { el, isWriting } from "./dom.js";
import { asksClass, keysOf, showsHelp } from "./label_classes.js";
import { onePage, strip, tiles } from "./label_parts.js";
import { askedWho, who } from "./studio.js";

const AHEAD = 4; // items that are fetched before they are needed
const LOOK = 2500; // milliseconds between looks at what others did

export function start(root, sources) {
  const desk = new Desk(root, sources);
  root.taDesk = desk;
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) desk.opened(); }).observe(root);
}

/** What of an item is on the page: another one, or another proposal, is painted anew. */
const sight = (one) => JSON.stringify([one?.key, one?.proposed, one?.probability]);

class Desk {
  constructor(root, sources) {
    this.id = localStorage.getItem("textanchor-project") || "";
    if (!sources.some(([, id]) => id === this.id)) this.id = sources[0][1];
    this.mode = localStorage.getItem("textanchor-mode") || "one";
    this.sources = sources;
    this.standing = null; this.saving = Promise.resolve(); this.unsaved = 0;
    this.stream = "mixed"; this.queue = []; this.sent = new Set(); this.skipped = []; this.picked = new Set();
    this.kept = []; this.group = null; this.filter = { proposed: "", surest: true };
    this.bar = el("div.ta-strip"); this.head = el("div.ta-standing"); this.body = el("div.ta-desk"); this.word = el("p.ta-word", { role: "status", "aria-live": "polite" });
    root.replaceChildren(this.bar, this.head, this.body, this.word);
    this.root = root;
    document.addEventListener("keydown", (event) => this.typed(event), true);
    setInterval(() => this.look(), LOOK);
  }

  get seen() { return this.root.offsetParent !== null; }
  at(path) { return `/studio/label/${this.id}${path}`; }
  say(text, wrong = false) { this.word.textContent = text; this.word.classList.toggle("ta-wrong", wrong); }

  /** Whatever fails is said, and nothing that was done is lost for it. */
  async trying(act) {
    try { return await act(); } catch (why) { this.say(why.message, true); return undefined; }
  }

  async opened() {
    if (!(await askedWho())) return this.body.replaceChildren(el("p.ta-hint", {}, "Say who you are to label: your name is kept with what you decide."));
    await this.trying(async () => { await this.stand(); await this.turn(this.mode); });
  }

  async stand() {
    this.standing = (await get(this.at(""))).answer;
    strip(this);
  }

  /** What others did since, or this person in another tab. */
  async look() {
    if (!this.seen || document.hidden || !this.standing || this.unsaved || document.querySelector("dialog[open]")) return;
    await this.trying(async () => {
      const { answer } = await get(this.at("/version"));
      if (answer === this.standing.version || this.unsaved) return;
      const before = this.standing;
      await this.stand();
      if (before.working && !this.standing.working) this.say(this.standing.failed || this.standing.says.join(". "), Boolean(this.standing.failed));
      if (this.mode === "one") await this.fetch(true);
      else if (before.run !== this.standing.run) await this.turn(this.mode);
    });
  }

  async turn(mode) {
    this.mode = mode;
    localStorage.setItem("textanchor-mode", mode);
    strip(this);
    if (mode === "one") { this.queue = []; await this.fetch(true); }
    if (mode === "grid") await this.grid();
    if (mode === "cluster") await this.cluster(this.group?.number || 0);
  }

  // One item

  /** More items behind those at hand; `anew` asks whether these are still to be decided. */
  async fetch(anew = false) {
    if (!anew && this.queue.length >= AHEAD / 2) return;
    const again = this.stream === "suspects";
    const { answer } = again ? await get(this.at("/suspects?count=24")) : await post(this.at("/next"), { who: who(), count: AHEAD, stream: this.stream, skip: this.skipped });
    const fresh = answer.filter((one) => !this.sent.has(one.key) && !this.skipped.includes(one.key)), before = sight(this.queue[0]);
    const back = this.queue.filter((one) => one.back && !this.sent.has(one.key)); // taken back just now
    this.queue = [...back, ...fresh.filter((one) => !back.some((held) => held.key === one.key))];
    if (this.mode === "one" && (sight(this.queue[0]) !== before || !this.body.querySelector(".ta-one"))) this.paint(true);
    for (const one of this.queue.slice(1)) if (one.card.media.large && !one.card.media.play) new Image().src = one.card.media.large;
  }

  /** The first of the queue; `known` where an empty queue means that nothing is left. */
  paint(known = false) {
    for (const heard of this.body.querySelectorAll("audio, video")) heard.pause(); // or it plays on unseen
    this.picked = new Set();
    this.body.replaceChildren(this.queue.length ? onePage(this, this.queue[0]) : el("p.ta-hint", {}, !known ? "The next one is on its way." : this.skipped.length ? "Nothing else is left; what you skipped comes again when you reload." : "Nothing is left to decide here."));
  }

  /** Write down what was decided of the item at hand, and go on. */
  decide(kind, classes = []) {
    const one = this.queue.shift();
    if (!one) return;
    this.sent.add(one.key);
    this.paint();
    this.send([{ key: one.key, kind, classes }], "picked", `${kind === "none" ? "None of these" : kind === "unsure" ? "Unsure" : classes.join(", ")}: ${one.card.name}`).then(async (saved) => {
      if (!saved) { this.sent.delete(one.key); this.queue.unshift(one); this.paint(); }
      await this.trying(() => this.fetch());
    });
  }

  /** One step after the other, in the order in which they were decided. */
  send(choices, how, words) {
    this.unsaved += 1;
    this.say(`${words} …`);
    const done = this.saving.then(async () => {
      await post(this.at("/decide"), { who: who(), choices, how });
      this.say(`Saved. ${words}`);
      return true;
    }).catch((why) => { this.say(`Not saved: ${why.message}`, true); return false; }).finally(() => {
      this.unsaved -= 1;
      if (!this.unsaved) this.trying(() => this.stand());
    });
    this.saving = done;
    return done;
  }

  /** A class by key or button: accepted where it was proposed. In projects of several classes it is picked first. */
  choose(key) {
    if (this.mode !== "one") return this.all(key);
    const one = this.queue[0];
    if (!one) return;
    if (this.standing.multi) {
      this.picked.delete(key) || this.picked.add(key);
      for (const button of this.body.querySelectorAll("[data-class]")) button.setAttribute("aria-pressed", String(this.picked.has(button.dataset.class)));
    } else this.name([key]);
  }

  name(classes) {
    const told = this.queue[0].proposed, same = told.length === classes.length && told.every((one) => classes.includes(one));
    this.decide(!told.length ? "label" : same ? "accept" : "other", classes);
  }

  accept() {
    if (this.mode !== "one") return this.all("");
    if (this.picked.size) return this.name([...this.picked]);
    if (!this.queue[0]) return;
    if (!this.queue[0].proposed.length) return this.say("Nothing is proposed yet: choose a class, or let the machine propose.");
    this.decide("accept", this.queue[0].proposed);
  }

  skip() {
    const one = this.queue.shift();
    if (!one) return;
    this.skipped.push(one.key);
    this.paint();
    this.say(`Skipped: ${one.card.name}`);
    this.trying(() => this.fetch());
  }

  async undo() {
    await this.saving;
    await this.trying(async () => {
      const { answer } = await post(this.at("/undo"), { who: who() });
      if (!answer.length) return this.say("There is nothing of yours to take back.");
      for (const one of answer) this.sent.delete(one.key);
      this.say(answer.length > 1 ? `Taken back: ${answer.length} decisions` : `Taken back: ${answer[0].card.name}`);
      await this.stand();
      if (this.mode !== "one") return this.turn(this.mode);
      const back = answer.slice(0, AHEAD).map((one) => ({ ...one, back: true }));
      this.queue = [...back, ...this.queue.filter((one) => !back.some((held) => held.key === one.key))];
      this.paint();
    });
  }

  // Many at once

  async grid() {
    const asked = new URLSearchParams({ proposed: this.filter.proposed, surest: this.filter.surest, count: 24 });
    this.kept = (await get(this.at(`/grid?${asked}`))).answer;
    this.group = null;
    tiles(this);
  }

  async cluster(number, anew = false) {
    this.group = (await get(this.at(`/cluster?${new URLSearchParams({ number: String(number), anew: String(anew) })}`))).answer;
    this.kept = this.group ? [...this.group.centre, ...this.group.edge] : [];
    tiles(this);
  }

  step(by) {
    if (this.mode === "cluster" && this.group) this.trying(() => this.cluster((this.group.number + by + this.group.count) % this.group.count));
  }

  /** Everything that was not taken out: as proposed where no class is named, else as that class. */
  async all(key) {
    const out = new Set([...this.body.querySelectorAll(".ta-tile[data-out]")].map((tile) => tile.dataset.key));
    const named = key || this.group?.suggested || "";
    const which = (this.group ? this.group.keys : this.kept.map((one) => one.key)).filter((one) => !out.has(one));
    if (!which.length) return;
    if (this.group && !named) return this.say("Nothing is proposed yet: choose a class with O.");
    const proposed = new Map(this.kept.map((one) => [one.key, one.proposed]));
    const choices = which.map((one) => (named ? { key: one, kind: "label", classes: [named] } : { key: one, kind: "accept", classes: proposed.get(one) }));
    const saved = await this.send(choices, "bulk", `${which.length} items as ${named || "proposed"}`);
    if (saved) await this.trying(() => (this.mode === "grid" ? this.grid() : this.cluster(this.group.number)));
  }

  async single(kind) {
    const tile = this.body.querySelector(".ta-tile:focus, .ta-tile:focus-within");
    if (!tile) return this.say("Go to an item with the arrow keys first.");
    if (await this.send([{ key: tile.dataset.key, kind }], "picked", `${kind}: ${tile.dataset.name}`)) await this.trying(() => this.turn(this.mode));
  }

  // The machine

  async propose(told) {
    await this.trying(async () => {
      await post(this.at("/propose"), told);
      this.say("The machine is at work.");
      await this.stand();
    });
  }

  async take() {
    await this.saving;
    await this.trying(async () => {
      const { answer } = await post(this.at("/take"), { who: who() });
      this.say(`Taken over: ${answer} items. Z takes it back.`);
      await this.stand();
      await this.turn(this.mode);
    });
  }

  async other() {
    const key = await asksClass(this.standing.classes, this.queue[0]?.likely || [], (word) => this.trying(async () => {
      const { answer } = await post(this.at("/class"), { who: who(), key: word });
      await this.stand();
      return answer.key;
    }));
    if (key) this.choose(key);
  }

  // Keys

  typed(event) {
    if (!this.seen || !this.standing || isWriting(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target, button = target.closest?.("button, a, summary, [role=tab]"), tile = target.closest?.(".ta-tile");
    if (button && !tile && (event.key === "Enter" || event.key === " ")) return; // it means the button
    const act = this.keys(event, tile);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) act();
  }

  keys(event, tile) {
    const letters = { Enter: () => this.accept(), o: () => this.other(), z: () => this.undo(), p: () => this.play(), "?": () => showsHelp(this.mode) };
    const by = this.mode === "one"
      ? { u: () => this.decide("unsure"), n: () => this.decide("none"), s: () => this.skip() }
      : { u: () => this.single("unsure"), n: () => this.single("none"), x: () => tile && this.out(tile), j: () => this.step(1), k: () => this.step(-1) };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (tile && key === " ") return () => this.out(tile);
    if (tile && key.startsWith("Arrow")) return () => this.move(tile, key);
    if (key === " " && this.mode === "one" && !/^(AUDIO|VIDEO)$/.test(event.target.tagName)) return () => this.play();
    const named = keysOf(this.standing.classes, this.mode === "one" ? this.queue[0]?.likely || [] : []).get(key);
    return named ? () => this.choose(named) : by[key] || letters[key];
  }

  play() {
    const heard = this.body.querySelector(".ta-tile:focus-within audio, .ta-tile:focus-within video") || this.body.querySelector("audio, video");
    if (heard) heard.paused ? heard.play() : heard.pause();
  }

  out(tile) {
    tile.toggleAttribute("data-out");
    tile.setAttribute("aria-label", tile.getAttribute("aria-label").replace(/, taken out$/, "") + (tile.hasAttribute("data-out") ? ", taken out" : ""));
    const button = this.body.querySelector("[data-all]");
    if (button) button.lastChild.textContent = button.dataset.all.replace("{}", String((this.group ? this.group.keys.length : this.kept.length) - this.body.querySelectorAll(".ta-tile[data-out]").length));
  }

  move(tile, key) {
    const all = [...this.body.querySelectorAll(".ta-tile")], place = all.indexOf(tile);
    const across = all.filter((one) => one.offsetTop === all[0].offsetTop).length || 1;
    const to = all[place + { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[key]];
    if (!to) return;
    all.forEach((one) => (one.tabIndex = -1));
    to.tabIndex = 0;
    to.focus();
  }
}
