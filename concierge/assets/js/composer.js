// The composer's rich text: Trix over the plain text area, speaking our canonical HTML to the server.
//   <div data-rich>  <textarea …plain twin…>  <input type="hidden" name="body_html" disabled data-rich-html value="…">
//   <template data-card="SKU">…the product card…</template> for each product already in the text.  </div>
// Without this script the text area is the form's body; with it the area is switched off and the hidden field on.
import Trix from "trix";

const PRODUCT = "application/vnd.house.product";
const { config } = Trix;

config.blockAttributes.default.tagName = "p";
config.blockAttributes.default.breakOnReturn = true;
config.attachments.preview.caption = { name: false, size: false };
config.attachments.content = { caption: { name: false, size: false } };

export function enrich(home) {
  const area = home.querySelector("textarea");
  const field = home.querySelector("[data-rich-html]");
  const form = area.form;
  const raw = document.createElement("input");
  raw.type = "hidden";
  raw.id = `${area.id || "body"}-rich`;
  raw.value = toTrix(field.value, home);
  const editor = document.createElement("trix-editor");
  editor.setAttribute("input", raw.id);
  if (home.dataset.toolbar) editor.setAttribute("toolbar", home.dataset.toolbar);
  editor.setAttribute("role", "textbox");
  editor.setAttribute("aria-multiline", "true");
  for (const name of ["placeholder", "aria-label", "aria-labelledby", "aria-describedby"]) {
    if (area.hasAttribute(name)) editor.setAttribute(name, area.getAttribute(name));
  }
  if (area.dataset.key) {
    editor.dataset.key = area.dataset.key;
    editor.dataset.keyLabel = area.dataset.keyLabel ?? "";
    delete area.dataset.key;
  }
  home.append(raw, editor);
  area.disabled = area.hidden = true;
  field.disabled = false;

  editor.addEventListener("trix-change", () => {
    field.value = toCanonical(editor.innerHTML ? raw.value : "");
    form?.dispatchEvent(new CustomEvent("house:changed", { bubbles: true }));
  });
  // A picture pasted or dropped here is an attachment of the mail, not of the text.
  editor.addEventListener("trix-file-accept", (event) => {
    event.preventDefault();
    const files = form?.querySelector("input[type=file]");
    if (!files) return;
    const all = new DataTransfer();
    for (const file of [...files.files, event.file]) all.items.add(file);
    files.files = all.files;
    files.dispatchEvent(new Event("change", { bubbles: true }));
  });
  editor.addEventListener("trix-paste", () => { field.value = toCanonical(raw.value); });
}

// A product taken in the picker: <button data-product="SKU"> with a <template> that holds its card.
document.addEventListener("click", (event) => {
  const option = event.target.closest("button[data-product]");
  const editor = document.querySelector("[data-rich] trix-editor")?.editor;
  if (!option || !editor) return;
  event.preventDefault();
  editor.insertAttachment(card(option.dataset.product, option.querySelector("template").innerHTML));
  option.closest("dialog")?.close();
  editor.element.focus();
});

// A template taken in the picker fills the text: <button data-fill> with <template data-fill-html>; asks first when something is written.
document.addEventListener("house:fill", ({ detail }) => {
  const home = document.querySelector("[data-rich]");
  const editor = home?.querySelector("trix-editor")?.editor;
  if (editor) editor.loadHTML(toTrix(detail.html, home, detail.cards));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.("trix-editor")) event.target.blur();
});

const card = (sku, html) => new Trix.Attachment({ contentType: PRODUCT, sku, content: html.trim() });

function toTrix(html, home, cards = {}) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const figure of page.querySelectorAll("figure[data-product]")) {
    const sku = figure.dataset.product;
    const known = home.querySelector(`template[data-card="${CSS.escape(sku)}"]`)?.innerHTML ?? cards[sku];
    const content = (known ?? Object.assign(document.createElement("p"), { textContent: sku }).outerHTML).trim();
    figure.removeAttribute("data-product");
    figure.setAttribute("data-trix-attachment", JSON.stringify({ contentType: PRODUCT, sku, content }));
  }
  return page.body.innerHTML;
}

function toCanonical(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const figure of page.querySelectorAll("figure[data-trix-attachment]")) {
    const { sku } = JSON.parse(figure.dataset.trixAttachment);
    const clean = document.createElement("figure");
    if (sku) clean.dataset.product = sku;
    if (sku) figure.replaceWith(clean);
    else figure.remove();
  }
  return page.body.innerHTML;
}

