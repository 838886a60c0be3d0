// Runs when Gradio has put up the results: a button "More like this" tells the page which item is meant.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-like]");
  if (button) trigger("select", { value: button.dataset.like });
});
