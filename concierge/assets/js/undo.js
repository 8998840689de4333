// data-undo-seconds="10" on a toast: counts down, takes the Undo button away, then asks the house what became of it
// (data-undo-fate) and says that: a clock knows nothing of what was sent.
import htmx from "htmx.org";
import { whenAdded } from "./added.js";

whenAdded("[data-undo-seconds]", (toast) => {
  const total = Number(toast.dataset.undoTotal ?? toast.dataset.undoSeconds);
  const end = performance.now() + Number(toast.dataset.undoSeconds) * 1000;
  const number = toast.querySelector("[data-seconds]");
  const ring = toast.querySelector(".toast__ring");

  const tick = () => {
    if (!toast.isConnected) return;
    const left = Math.max(0, end - performance.now());
    if (number) number.textContent = String(Math.ceil(left / 1000));
    ring?.style.setProperty("--gone", String(100 - (left / 1000 / total) * 100));
    if (left > 0) setTimeout(tick, Math.min(250, left));
    else finish();
  };

  const finish = () => {
    toast.querySelector("form")?.remove();
    number?.remove();
    ring?.remove();
    htmx.trigger(document.body, "house-changed");
    if (toast.dataset.undoFate) htmx.ajax("GET", toast.dataset.undoFate, { target: toast, swap: "outerHTML" });
    setTimeout(() => toast.remove(), 20000);
  };
  tick();
});

// Passing words leave by themselves, unless they are read just now or need an answer.
whenAdded("[data-passing]", (toast) => {
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
  setTimeout(leave, 7000);
});
