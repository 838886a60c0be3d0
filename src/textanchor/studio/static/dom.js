// Elements from names, attributes and children. Text is set as text, so that no name or caption becomes markup.

/** `el("p.soft", { title: "x" }, "text", child)`; attributes that are false, null or undefined are left out. */
export function el(what, attributes = {}, ...children) {
  const [name, ...classes] = what.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** What is seen and heard of an item's card. `large` takes the large picture. */
export function media(card, { large = false, autoplay = false } = {}) {
  const { picture, large: big, play, film, words } = card.media;
  if (film) {
    return el("video.ta-film", { src: play, poster: picture, controls: true, playsinline: true, preload: "none", "aria-label": card.name });
  }
  if (!picture) return el("blockquote.ta-words", {}, words);
  const image = el("img", { src: large && !play ? big : picture, alt: "", loading: large ? "eager" : "lazy" });
  const shown = el(`button.ta-picture${play ? ".ta-curve" : ""}`, { type: "button", "data-large": big, "data-name": card.name, "aria-label": `Enlarge ${card.name}` }, image);
  if (!play) return shown;
  return el("div.ta-heard", {}, shown, el("audio", { src: play, controls: true, preload: autoplay ? "auto" : "none", autoplay, "aria-label": card.name }));
}

/** Whether somebody is writing, so that no key is a command. */
export function isWriting(event) {
  const at = event.composedPath()[0] || event.target;
  return at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName || "");
}
