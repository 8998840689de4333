// <div data-picker>: an input narrows the options, arrows move, Enter takes. An option is a button or link with data-words
// (what is searched). Options that the server finds (products) arrive by htmx into data-picker-list.
import { whenAdded } from "./added.js";

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

whenAdded("[data-picker]", (picker) => {
  const input = picker.querySelector("[data-picker-input]");
  const list = picker.querySelector("[data-picker-list]");
  const nothing = picker.querySelector("[data-picker-nothing]");
  const dialog = picker.closest("dialog");
  let active = null;

  const shown = () => [...list.querySelectorAll("[data-option]")].filter((option) => !option.closest("[hidden]"));

  const point = (option) => {
    active?.removeAttribute("data-active");
    active = option ?? null;
    active?.setAttribute("data-active", "");
    active?.scrollIntoView({ block: "nearest" });
    if (active) input.setAttribute("aria-activedescendant", (active.id ||= `option-${crypto.randomUUID()}`));
    else input.removeAttribute("aria-activedescendant");
  };

  const narrow = () => {
    const wanted = plain(input.value).split(/\s+/).filter(Boolean);
    if (!("pickerRemote" in picker.dataset)) {
      for (const option of list.querySelectorAll("[data-option]")) {
        const words = plain(option.dataset.words ?? option.textContent);
        (option.closest("li") ?? option).hidden = !wanted.every((word) => words.includes(word));
      }
    }
    const options = shown();
    if (nothing) nothing.hidden = options.length > 0;
    point(options[0]);
  };

  input.addEventListener("input", narrow);
  input.addEventListener("keydown", (event) => {
    const options = shown();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      point(options[(options.indexOf(active) + step + options.length) % options.length]);
    } else if (event.key === "Enter") active?.click();
    else if (event.key === "Escape" && dialog) dialog.close(); // a search field would only empty itself
    else return;
    event.preventDefault();
  });
  list.addEventListener("htmx:afterSwap", narrow);
  dialog?.addEventListener("house:opening", () => { input.value = ""; narrow(); });
  narrow();
});
