// <button data-insert="{{ customer.first_name }}"> puts its words where one last wrote in a field with data-complete.
let last = null;

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-complete]")) last = event.target;
});

document.addEventListener("click", (event) => {
  const words = event.target.closest("[data-insert]")?.dataset.insert;
  if (words === undefined) return;
  const field = last?.isConnected ? last : document.querySelector("textarea[data-complete]");
  if (!field) return;
  field.focus();
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  const gap = words.indexOf("…");
  if (gap >= 0) {
    const at = field.selectionStart - words.length + gap;
    field.setSelectionRange(at, at + 1);
  }
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
