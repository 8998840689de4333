// <textarea data-complete='[{"field": "customer.first_name", "words": "her first name", "insert": "…"}]'>:
// "{{" opens the list of merge fields; arrows, Enter and Escape do what one expects.
let count = 0;

export function complete(area) {
  const fields = JSON.parse(area.dataset.complete);
  const home = area.parentElement;
  const list = document.createElement("ul");
  list.className = "completion";
  list.id = `completion-${(count += 1)}`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", area.dataset.completeLabel ?? "");
  list.hidden = true;
  home.classList.add("completion__home");
  home.append(list);
  area.setAttribute("aria-controls", list.id);
  area.setAttribute("aria-autocomplete", "list");
  let chosen = 0;
  let found = [];

  const opening = () => /\{\{\s*([\w.]*)$/.exec(area.value.slice(0, area.selectionStart));

  const close = () => {
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };

  const point = (index) => {
    chosen = (index + found.length) % found.length;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    list.children[chosen].scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", list.children[chosen].id);
  };

  const take = (field) => {
    const start = area.selectionStart - opening()[0].length;
    const after = area.value.slice(area.selectionStart).startsWith("}}") ? 2 : 0;
    area.setRangeText(field.insert ?? `{{ ${field.field} }}`, start, area.selectionStart + after, "end");
    close();
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const show = () => {
    const typed = opening();
    found = typed ? fields.filter(({ field, words }) => `${field} ${words}`.toLowerCase().includes(typed[1].toLowerCase())) : [];
    if (!found.length) return close();
    list.replaceChildren(...found.map((field, at) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${at}`;
      item.setAttribute("role", "option");
      item.append(Object.assign(document.createElement("code"), { textContent: field.field }), Object.assign(document.createElement("span"), { textContent: field.words }));
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(field); });
      return item;
    }));
    list.hidden = false;
    place(area, list);
    return point(0);
  };

  area.addEventListener("input", show);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") point(chosen + 1);
    else if (event.key === "ArrowUp") point(chosen - 1);
    else if (event.key === "Enter" || event.key === "Tab") take(found[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

// Puts the list under the caret: a twin of the text area, laid out alike and unseen, says where that is.
function place(area, list) {
  const twin = document.createElement("div");
  const style = getComputedStyle(area);
  for (const name of ["font", "padding", "borderWidth", "lineHeight", "letterSpacing", "boxSizing"]) twin.style[name] = style[name];
  Object.assign(twin.style, { position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word", width: `${area.offsetWidth}px` });
  const caret = document.createElement("span");
  caret.textContent = "\u200b";
  twin.append(area.value.slice(0, area.selectionStart), caret);
  area.parentElement.append(twin);
  const left = Math.min(caret.offsetLeft, Math.max(0, area.offsetWidth - list.offsetWidth));
  list.style.left = `${area.offsetLeft + left}px`;
  list.style.top = `${area.offsetTop + caret.offsetTop - area.scrollTop + caret.offsetHeight + 6}px`;
  twin.remove();
}
