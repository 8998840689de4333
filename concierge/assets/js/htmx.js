// htmx, kept within a Content-Security-Policy without eval, inline script or inline style, and keeping no page in storage.
import htmx from "htmx.org";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  scrollIntoViewOnBoost: false,
  defaultSettleDelay: 0,
  // Not "style": a swap would write an old element's style into the new one's attribute, which the policy forbids.
  attributesToSettle: ["class", "width", "height"],
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "409", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && detail.verb !== "get") detail.headers["X-CSRFToken"] = token;
});

// An error that names its place (HX-Retarget: #toasts) is said there, and the page stays as it was.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.getResponseHeader("HX-Retarget")) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
});

// A session that has ended answers 401: the door is the right place then, not a dead button.
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.xhr.status === 401) window.location.reload();
});
