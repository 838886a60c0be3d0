// Classes by key and by word.

import { el } from "./dom.js";

const DIGITS = "123456789";

/** Digits and the classes they mean: of few classes always the same ones, of many those that are likely for this item. */
export function keysOf(classes, likely) {
  const names = classes.length <= DIGITS.length + 1 ? classes.map((one) => one.key) : likely.map(([key]) => key);
  return new Map(names.slice(0, 10).map((name, place) => [place < 9 ? DIGITS[place] : "0", name]));
}

/** Ask for a class by typing; resolves with its key, or "". `add` makes a new one. */
export function asksClass(classes, likely, add) {
  const input = el("input", { id: "ta-class", autocomplete: "off", role: "combobox", "aria-expanded": "true", "aria-controls": "ta-classes", "aria-autocomplete": "list" });
  const list = el("ul.ta-found", { id: "ta-classes", role: "listbox", "aria-label": "Classes" });
  const dialog = el("dialog.ta-dialog.ta-finder", { "aria-label": "Another class" }, el("label", { for: "ta-class" }, "Another class"), input, list);
  const chances = new Map(likely), order = [...classes].sort((a, b) => (chances.get(b.key) || 0) - (chances.get(a.key) || 0));
  let at = 0, found = [];
  document.querySelector(".gradio-container").append(dialog);
  return new Promise((done) => {
    const close = (key) => { dialog.close(); dialog.remove(); done(key); };
    const choose = async (one) => close(one.fresh ? (await add(one.key)) || "" : one.key);
    function shown() {
      const word = input.value.trim(), low = word.toLowerCase();
      found = order.filter((one) => one.key.toLowerCase().includes(low) || one.text.toLowerCase().includes(low));
      if (word && !classes.some((one) => one.key === word)) found.push({ key: word, text: "", fresh: true });
      at = Math.min(at, Math.max(0, found.length - 1));
      list.replaceChildren(...found.slice(0, 200).map((one, place) => el("li", { role: "option", id: `ta-class-${place}`, "aria-selected": String(place === at), onclick: () => choose(one) },
        one.fresh ? `New class: ${one.key}` : one.key, one.text && one.text !== one.key ? el("small", {}, one.text) : null, chances.has(one.key) ? el("small", {}, `${Math.round(100 * chances.get(one.key))} %`) : null)));
      input.setAttribute("aria-activedescendant", `ta-class-${at}`);
      list.children[at]?.scrollIntoView({ block: "nearest" });
    }
    input.addEventListener("input", () => { at = 0; shown(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { at = Math.max(0, Math.min(found.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))); shown(); event.preventDefault(); }
      if (event.key === "Enter" && found[at]) { event.preventDefault(); choose(found[at]); }
    });
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(""); });
    shown();
    dialog.showModal();
    input.focus();
  });
}

const KEYS = {
  one: [["Enter", "accept what is proposed"], ["1 … 9, 0", "that class"], ["O", "another class, by typing"], ["U", "unsure"], ["N", "none of these classes"], ["S", "skip for now"], ["P or Space", "play or pause"], ["Z", "take back my last step"]],
  grid: [["Enter", "accept all that are not taken out"], ["X or Space", "take the item out, or in again"], ["Arrows", "from item to item"], ["1 … 9, 0, O", "all are that class"], ["U, N", "this item: unsure, none"], ["P", "play or pause"], ["Z", "take back my last step"]],
  cluster: [["Enter", "all are what is suggested"], ["J, K", "next and previous cluster"], ["X or Space", "take the item out, or in again"], ["Arrows", "from item to item"], ["1 … 9, 0, O", "all are that class"], ["U, N", "this item: unsure, none"], ["Z", "take back my last step"]],
};

export function showsHelp(mode) {
  const rows = KEYS[mode].map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)));
  const dialog = el("dialog.ta-dialog", { "aria-label": "Keys" }, el("h2", {}, "Keys"), el("dl.ta-keys", {}, rows), el("form", { method: "dialog" }, el("button", {}, "Close")));
  document.querySelector(".gradio-container").append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
