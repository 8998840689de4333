// data-opens="id" opens a <dialog>; data-closes, a click on the veil or Escape closes it.
export function openDialog(dialog) {
  if (dialog.open) return;
  dialog.dispatchEvent(new CustomEvent("house:opening"));
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog) {
    event.preventDefault();
    openDialog(dialog);
  }
  if (event.target.closest("[data-closes]") || event.target.matches("dialog[open]")) {
    event.target.closest("dialog")?.close();
  }
  if (event.target.closest("[data-dismiss]")) event.target.closest("[data-dismissable]")?.remove();
});
