// What all pages share: the open tab stands in the address, pictures are enlarged, and a name is asked for once.

const WHO = "textanchor-who";

/** The name that is kept in this browser, or "". */
export function who() {
  return localStorage.getItem(WHO) || "";
}

/** Ask for a name where there is none; resolves with it, or with "" if nobody wants to say. */
export async function askedWho(anew = false) {
  if (who() && !anew) return who();
  const dialog = made(`<form method="dialog"><label for="ta-name">Your name, kept with what you label</label>
    <input id="ta-name" maxlength="60" autocomplete="nickname" required><button>Keep</button></form>`);
  const input = dialog.querySelector("input");
  input.value = who();
  await closed(dialog);
  const name = input.value.trim();
  if (name) localStorage.setItem(WHO, name);
  shown();
  return who();
}

/** A dialog from our own markup; what comes from elsewhere is set as text. */
function made(html) {
  const dialog = document.createElement("dialog");
  dialog.className = "ta-dialog";
  dialog.innerHTML = html;
  document.querySelector(".gradio-container").append(dialog);
  return dialog;
}

function closed(dialog) {
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => { dialog.remove(); done(); }));
}

function enlarge(button) {
  const dialog = made(`<img><form method="dialog"><span></span><button autofocus>Close</button></form>`);
  const image = dialog.querySelector("img");
  image.src = button.dataset.large;
  image.alt = button.dataset.name;
  dialog.querySelector("span").textContent = button.dataset.name;
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  closed(dialog).then(() => button.focus());
}

function shown() {
  for (const button of document.querySelectorAll("[data-who]")) button.textContent = who() || "Who are you?";
}

// Gradio's tabs keep nothing in the address; a reload would lead to the first one.
const TAB = "#ta-tabs [role=tab], #ta-tabs .overflow-dropdown button"; // where there is no room for all, some are in a menu
const tabs = () => [...document.querySelectorAll(TAB)];
const slug = (tab) => tab.textContent.trim().toLowerCase();

/** Open the tab of the address, until it stays open: while Gradio puts its tabs up it hears no click, and then opens the first. */
let opening = 0;
function opened() {
  let steady = 0, tries = 0;
  clearInterval(opening);
  opening = setInterval(() => {
    const wanted = tabs().find((tab) => slug(tab) === location.hash.slice(1));
    const there = wanted?.getAttribute("aria-selected") === "true";
    steady = there ? steady + 1 : 0;
    if (wanted && !there) wanted.click();
    if (steady > 8 || ++tries > 100) clearInterval(opening);
  }, 120);
}

document.addEventListener("click", (event) => {
  const near = (selector) => event.target.closest?.(selector);
  const tab = near(TAB);
  if (tab && event.isTrusted) clearInterval(opening);
  if (tab) history.replaceState(null, "", `#${slug(tab)}`);
  if (near("[data-large]")) enlarge(near("[data-large]"));
  if (near("[data-who]")) askedWho(true);
});
// One sound at a time.
document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio, video")) if (other !== event.target) other.pause();
}, true);
window.addEventListener("hashchange", () => opened());

/** Once Gradio has put the page up, which may be before this script is here. */
function begun() {
  if (!tabs().length || !document.querySelector("[data-who]")) return false;
  waiting.disconnect();
  document.querySelector("#ta-query textarea")?.setAttribute("aria-label", "Query");
  shown();
  opened();
  return true;
}

const waiting = new MutationObserver(begun);
if (!begun()) waiting.observe(document.documentElement, { childList: true, subtree: true });
