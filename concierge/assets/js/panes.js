// The inbox's panes: when htmx brings another conversation, a phone turns to it, and it begins at its top.
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target?.id !== "conversation") return; // a swap by htmx.swap() names no target
  const pane = document.getElementById("conversation");
  const panes = pane?.closest(".panes");
  if (!panes) return;
  panes.dataset.show = "conversation";
  pane.scrollTop = 0;
  if (matchMedia("(max-width: 760px)").matches) window.scrollTo(0, 0);
});
