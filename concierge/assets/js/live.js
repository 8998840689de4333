// <body data-live="/live">: what changes in the house arrives by server-sent events and is told to htmx as "house-changed".
// After sleep, a lost network or a hidden hour the page catches up by itself.
import htmx from "htmx.org";

const url = document.body.dataset.live;
const PATIENCE = 10_000; // hidden this long, a tab gives its connection back: a browser has six for one house
const SILENCE = 60_000; // the server says something every 25 s; a longer silence is a dead line
let source = null;
let retry = 0;
let wait = 1000;
let told = 0;
let hiding = 0;
let heard = 0;
let changed = 0;
const asked = new WeakMap(); // a piece of the page on its way → when it was asked for

function tell() {
  clearTimeout(told);
  told = setTimeout(() => htmx.trigger(document.body, "house-changed"), 60);
}

function connect() {
  clearTimeout(retry);
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource(url);
  heard = Date.now();
  source.addEventListener("open", () => { wait = 1000; heard = Date.now(); });
  source.addEventListener("changed", () => { heard = changed = Date.now(); tell(); });
  source.addEventListener("alive", () => { heard = Date.now(); });
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    retry = setTimeout(() => { connect(); tell(); }, wait * (0.5 + Math.random())); // refused again and again, it still keeps up
    wait = Math.min(wait * 2, 30_000);
  });
}

function disconnect() {
  source?.close();
  source = null;
}

function wake() {
  clearTimeout(hiding);
  if (document.hidden) return;
  if (Date.now() - heard > SILENCE) disconnect();
  connect();
  tell();
}

if (url) {
  // What changes while a piece of the page is on its way is told again once it has come: it may know nothing of it,
  // and what listens within it was not there to hear.
  document.body.addEventListener("htmx:beforeSend", (event) => asked.set(event.detail.xhr, Date.now()));
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (changed >= (asked.get(event.detail.xhr) ?? Infinity)) tell();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiding = setTimeout(disconnect, PATIENCE);
    else wake();
  });
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
  window.addEventListener("pagehide", disconnect);
  if (!document.hidden) connect();
}
