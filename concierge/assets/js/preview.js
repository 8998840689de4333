// <form data-preview="/templates/check" data-preview-into="verdict">: as one types, what the server says is drawn beside it.
// The answer is a piece of HTML; an older answer never replaces a newer one.
import htmx from "htmx.org";
import { showFrame } from "./frame.js";

export function livePreview(form) {
  const target = document.getElementById(form.dataset.previewInto);
  let timer = 0;
  let running = null;

  const draw = async () => {
    running?.abort();
    running = new AbortController();
    showFrame(form);
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST", body: new FormData(form), signal: running.signal, credentials: "same-origin",
        headers: { "HX-Request": "true", "X-Requested-With": "fetch" },
      });
      if (!answer.ok && answer.status !== 422) return;
      htmx.swap(target, await answer.text(), { swapStyle: "innerHTML" });
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
  };
  // A field may stand outside its form (form="…"), where its events do not reach the form.
  const later = ({ target: field }) => {
    if (field.form !== form) return;
    clearTimeout(timer);
    timer = setTimeout(draw, 350);
  };
  document.addEventListener("input", later);
  document.addEventListener("change", later);
  draw();
}
