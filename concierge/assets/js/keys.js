// data-key="e" on a link, button, summary or field: the key does what a click does ("/" and the like focus a field).
// "g i" is two keys in a row; "mod+enter" also works while typing. The sheet (?) lists what this page offers.
// data-keys-coming="r t" on what stands where those keys will be: one that is pressed too early is kept, with all that is
// typed after it, until its element has come; or until what stood there has gone, and it has not come.
import htmx from "htmx.org";
import { whenAdded } from "./added.js";
import { openDialog } from "./dialogs.js";

const OFF = "house.keys.off";
const sheet = document.getElementById("keys");
const PATIENCE = 4000;
let first = null;
let forget = 0;
let kept = ""; // a key that waits for its element, and what was typed after it
let giveUp = 0;

const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
const wordless = () => localStorage.getItem(OFF) === "1";
const typing = (target) => target.isContentEditable || target.matches?.("input:not([type=checkbox], [type=radio], [type=submit]), textarea, select, trix-editor");

function offered() {
  const scope = document.querySelector("dialog[open]") ?? document;
  const byKey = new Map();
  for (const element of scope.querySelectorAll("[data-key]")) {
    if (!byKey.has(element.dataset.key) && !element.disabled && reachable(element)) byKey.set(element.dataset.key, element);
  }
  return byKey;
}

// What is inside a closed menu still has its key.
function reachable(element) {
  const menu = element.closest("details.menu:not([open])");
  return visible(menu ?? element);
}

function pressed(event) {
  const mod = event.metaKey || event.ctrlKey;
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key : event.key.toLowerCase();
  if (!mod) return key;
  return event.shiftKey && key === "enter" ? "mod+shift+enter" : `mod+${key.toLowerCase()}`;
}

function act(element) {
  if (element.matches("input:not([type=checkbox], [type=submit]), textarea, trix-editor")) {
    const menu = element.closest("details.menu:not([open])");
    if (menu) menu.open = true;
    element.focus();
    if (menu) element.select(); // what is proposed there is typed over, as behind a Tab
  }
  else if (element.matches("summary")) {
    element.click();
    const field = element.parentElement.querySelector(":is(.menu__panel, [data-panel]) :is(input:not([type=hidden]), textarea, button, a[href])");
    field?.focus();
    if (field?.matches("input")) field.select(); // what is proposed there is typed over, as behind a Tab
  } else element.click();
}

document.addEventListener("keydown", (event) => {
  const key = pressed(event);
  if (!key || event.defaultPrevented || event.repeat || event.isComposing) return;
  const withMod = key.startsWith("mod+");
  if (!withMod && (typing(event.target) || wordless())) return;
  if (!withMod && keeps(event.key)) {
    event.preventDefault();
    return;
  }
  const keys = offered();
  const found = keys.get(first ? `${first} ${key}` : key) ?? keys.get(key);
  clearTimeout(forget);
  const begins = !first && !withMod && [...keys.keys()].some((name) => name.startsWith(`${key} `));
  first = begins ? key : null;
  if (begins) forget = setTimeout(() => { first = null; }, 1200);
  else if (found) {
    event.preventDefault();
    if (withMod) submit(found, event.target);
    else act(found);
  } else if (!withMod) move(event, key);
});

const isComing = (key) => document.querySelector(`[data-keys-coming~="${CSS.escape(key)}"]`) !== null;

function keeps(key) {
  if (!kept && (key.length > 1 || !isComing(key))) return false;
  if (!kept) giveUp = setTimeout(() => { kept = ""; }, PATIENCE);
  if (key === "Escape") kept = "";
  else if (key === "Backspace") kept = kept[0] + kept.slice(1, -1);
  else if (key === "Enter") kept += "\n";
  else if (key.length === 1) kept += key;
  else return false;
  return true;
}

whenAdded("[data-key]", (element) => {
  const [key, ...typed] = kept;
  if (!key || element.dataset.key !== key) return;
  clearTimeout(giveUp);
  kept = "";
  act(element);
  const field = document.activeElement;
  if (!typed.length || !field.matches("input, textarea")) return;
  // In a field of one line Enter is what it always is: the form is sent.
  const [words, ...ends] = field.matches("textarea") ? [typed.join("")] : typed.join("").split("\n");
  if (words) {
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  if (ends.length) field.form?.requestSubmit();
});

htmx.onLoad(() => {
  if (kept && !isComing(kept[0])) {
    clearTimeout(giveUp);
    kept = "";
  }
});

// "mod+enter" ends what is being written, a note as an answer: from a field of another form it never sends this one.
function submit(found, target) {
  const own = target.closest?.("form");
  if (!own || own === found.form) act(found);
  else if (typing(target)) own.requestSubmit();
}

// j and k walk through the rows of the list, Enter opens as on any link.
function move(event, key) {
  if (key !== "j" && key !== "k") return;
  const rows = [...document.querySelectorAll("[data-rows] a.row")].filter(visible);
  if (!rows.length) return;
  const here = rows.indexOf(document.activeElement);
  const at = here === -1 ? rows.findIndex((row) => row.matches("[aria-current]")) : here;
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + (key === "j" ? 1 : -1)))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  event.preventDefault();
}

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
const names = { "mod+enter": `${MOD} ↵`, "mod+shift+enter": `${MOD} ⇧ ↵`, "mod+s": "Ctrl S", escape: "Esc" };

function wordsOf(element) {
  return element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? element.title ?? element.textContent.trim();
}

function fill() {
  const list = sheet.querySelector("[data-keys-list]");
  const walk = document.querySelector("[data-rows]") ? [["j", sheet.dataset.next], ["k", sheet.dataset.previous]] : [];
  const here = [...offered()].map(([key, element]) => [key, wordsOf(element) || element.textContent.trim()]);
  list.replaceChildren(...[...walk, ...here].map(([key, words]) => {
    const item = document.createElement("li");
    const cap = document.createElement("span");
    cap.className = "cluster";
    cap.append(...(names[key] ?? key).split(" ").map((part) => Object.assign(document.createElement("kbd"), { textContent: part })));
    item.append(words.replace(/\s+/g, " "), cap);
    return item;
  }));
}

if (sheet) {
  const box = sheet.querySelector("[data-keys-on]");
  sheet.addEventListener("house:opening", () => {
    fill();
    box.checked = !wordless();
  });
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !typing(event.target) && !event.ctrlKey && !event.metaKey) openDialog(sheet);
  });
}
