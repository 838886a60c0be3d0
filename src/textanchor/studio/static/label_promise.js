// What the machine is to promise, in plain words.

import { el } from "./dom.js";

const FORMS = [
  ["average", "On average", "Over many such projects at most this share is wrong. One project may be above it."],
  ["confidence", "With confidence 0.9", "In this project at most this share is wrong, but for one project in ten. It takes more labels."],
];
const LEVELS = [0.01, 0.02, 0.05, 0.1, 0.2];

/** Resolves with `{ form, level }`, or null. */
export function asksPromise() {
  const forms = FORMS.map(([value, name, words], place) => el("label.ta-form", {}, el("input", { type: "radio", name: "form", value, checked: place === 0 }), el("span", {}, el("b", {}, name), el("small", {}, words))));
  const level = el("select", { id: "ta-level" }, LEVELS.map((one) => el("option", { value: one, selected: one === 0.05 }, `${100 * one} %`)));
  const dialog = el("dialog.ta-dialog.ta-promise", { "aria-label": "What the machine is to promise" },
    el("h2", {}, "Let the machine propose"),
    el("p.ta-soft", {}, "It proposes a class for every open item, and says which of them may be taken over without a look. Only labels that were drawn at random tell how often it is wrong."),
    el("form", { method: "dialog" }, el("label.ta-level", { for: "ta-level" }, "Wrong at most ", level), el("fieldset", {}, el("legend", {}, "Promised"), forms), el("menu", {}, el("button", { value: "", formnovalidate: true }, "Cancel"), el("button", { value: "go", autofocus: true }, "Propose"))));
  document.querySelector(".gradio-container").append(dialog);
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => {
    const form = dialog.querySelector("input:checked").value;
    dialog.remove();
    done(dialog.returnValue === "go" ? { form, level: Number(level.value) } : null);
  }));
}
