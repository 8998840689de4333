// <form data-preview-frame="/url" data-preview-place="id">: the same fields are posted into a fresh frame, which takes the place of
// the old one once it is loaded: nothing flashes, the back button is left alone, and one stays where one was reading.
let count = 0;

export function showFrame(form) {
  const { previewFrame: url, previewPlace } = form.dataset;
  const place = document.getElementById(previewPlace);
  if (!url || !place) return;
  const frame = document.createElement("iframe");
  frame.name = `finished-${(count += 1)}`;
  frame.className = "preview__frame";
  frame.title = place.dataset.previewTitle ?? "";
  frame.dataset.coming = "";
  frame.setAttribute("sandbox", "allow-same-origin");
  const twin = Object.assign(document.createElement("form"), { method: "post", action: url, target: frame.name, hidden: true });
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") twin.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  for (const late of place.querySelectorAll("[data-coming]")) late.remove();
  place.append(frame, twin);
  twin.submit();
  twin.remove();
  frame.addEventListener("load", () => {
    const page = reached(frame);
    if (!page || page.location.href === "about:blank") return;
    const before = place.querySelector(".preview__frame:not([data-coming])");
    page.scrollTo(0, (before && reached(before)?.scrollY) ?? 0);
    delete frame.dataset.coming;
    before?.remove();
  });
}

// A page that may not stand in a frame (signed out, broken) cannot be reached from here; what was shown before stays.
function reached(frame) {
  try {
    return frame.contentWindow?.location.href ? frame.contentWindow : null;
  } catch {
    return null;
  }
}
