// <details class="menu">: one open at a time, closed by Escape, by a click elsewhere, and when focus leaves.
// <details data-escapes>: closed by Escape only.
const open = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("focusin", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest?.("details:is(.menu, [data-escapes])[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
    event.stopPropagation();
  }
  // Enter in a field presses the button beneath it, not the first of the form the menu is part of.
  const asked = event.key === "Enter" && !event.isComposing && event.target.matches?.("input:not([type=checkbox])");
  const button = asked && event.target.closest("div.menu__form")?.querySelector("button[type=submit]");
  if (button && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    button.click();
  }
  const menu = event.target.closest?.("details.menu");
  if (!menu) return;
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  if (event.target.matches("textarea, select, input[type=datetime-local], input[list]")) return;
  menu.open = true;
  const stops = [...menu.querySelectorAll(".menu__panel :is(a[href], button, input:not([type=hidden]))")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  const at = stops.indexOf(document.activeElement);
  stops.at(at === -1 ? (step > 0 ? 0 : -1) : (at + step) % stops.length)?.focus();
  event.preventDefault();
});

// A panel that would stand out of the window is moved in: when it opens, and when the window is another.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.menu[open]")) moveIn(event.target);
}, true);
window.addEventListener("resize", () => {
  for (const menu of open()) moveIn(menu);
});

function moveIn(menu) {
  const panel = menu.querySelector(":scope > .menu__panel");
  if (!panel) return;
  panel.style.translate = "";
  const { left, right } = panel.getBoundingClientRect();
  const edge = 8;
  const aside = Math.min(document.documentElement.clientWidth - edge - right, 0) || Math.max(edge - left, 0);
  if (aside) panel.style.translate = `${aside}px 0`;
}

// A menu opened by its key puts the focus where the hand will go next.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.menu[open][data-focus]")) {
    event.target.querySelector(".menu__panel :is([autofocus], a[href], button, input:not([type=hidden]), textarea)")?.focus();
  }
}, true);
