// Runs when Gradio has put up the tab Label.
import("/studio/static/label.js").then((label) => label.start(element.querySelector("[data-sources]"), JSON.parse(element.querySelector("[data-sources]").dataset.sources)));
