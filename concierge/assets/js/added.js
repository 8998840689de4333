// Runs something for every element of a kind, those here now and those htmx brings later, once each.
import htmx from "htmx.org";

const kinds = [];
const seen = new WeakMap();

export function whenAdded(selector, start) {
  kinds.push([selector, start]);
  sweep(document.body, [[selector, start]]);
}

function sweep(root, wanted) {
  for (const [selector, start] of wanted) {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches(selector)) found.unshift(root);
    for (const element of found) {
      const started = seen.get(element) ?? new Set();
      if (started.has(start)) continue;
      seen.set(element, started.add(start));
      start(element);
    }
  }
}

htmx.onLoad((root) => sweep(root, kinds));
