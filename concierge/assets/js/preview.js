// <form data-preview="/templates/preview" data-preview-into="preview">: as one types, the finished mail is drawn beside it.
// The answer is a piece of HTML; an older answer never replaces a newer one.
import htmx from "htmx.org";

export function livePreview(form) {
  const target = document.getElementById(form.dataset.previewInto);
  let timer = 0;
  let running = null;

  const draw = async () => {
    running?.abort();
    running = new AbortController();
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
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(draw, 350); });
  form.addEventListener("change", draw);
  draw();
}
