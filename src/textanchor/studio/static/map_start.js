// Runs when Gradio has put up the tab Map.
import("/studio/static/map.js").then((map) => map.start(element.querySelector("[data-sources]"), JSON.parse(element.querySelector("[data-sources]").dataset.sources)));
