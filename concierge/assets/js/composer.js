// The composer's rich text: Trix over the plain text area, speaking our canonical HTML to the server.
//   <div data-rich>  <textarea …plain twin…>  <input type="hidden" name="body_html" disabled data-rich-html value="…">
//   <template data-card="SKU">…the product card…</template> for each product already in the text.  </div>
// Without this script the text area is the form's body; with it the area is switched off and the hidden field on.
import Trix from "trix";

const PRODUCT = "application/vnd.house.product";
const PICTURE = "application/vnd.house.picture";
const { config } = Trix;

// Return begins a new block. Inside the editor a block is a <div>, for a <p> can hold no figure; outside it is a paragraph.
config.blockAttributes.default.breakOnReturn = true;
config.attachments.preview.caption = { name: false, size: false };
config.attachments.content = { caption: { name: false, size: false } };

export async function enrich(home) {
  // Trix defines its element a moment after it has come: until then there would be something to click and nothing to type in.
  await customElements.whenDefined("trix-editor");
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
  const isHers = document.activeElement === area;
  home.append(raw, editor);
  area.disabled = area.hidden = true;
  field.disabled = false;

  editor.addEventListener("trix-change", () => {
    field.value = toCanonical(raw.value);
    form?.dispatchEvent(new CustomEvent("house:changed", { bubbles: true }));
  });
  editor.addEventListener("trix-before-paste", ({ paste }) => {
    if (!paste.html?.includes("<blockquote")) return;
    const page = new DOMParser().parseFromString(paste.html, "text/html");
    keepApart(page);
    paste.html = page.body.innerHTML;
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
  carryOver(area, editor.editor);
  if (isHers) editor.focus();
}

// Whoever types faster than this script comes has typed into the text area: her words go on here, at the head of what
// stood there already or at its end.
function carryOver(area, editor) {
  const [before, now] = [area.defaultValue, area.value];
  if (before === now) return;
  const most = Math.min(before.length, now.length);
  let same = 0;
  let alike = 0;
  while (same < most && before[same] === now[same]) same += 1;
  while (alike < most - same && before.at(-1 - alike) === now.at(-1 - alike)) alike += 1;
  editor.setSelectedRange(same ? editor.getDocument().toString().length - 1 : 0);
  for (const [number, line] of now.slice(same, now.length - alike).split("\n").entries()) {
    if (number) editor.insertLineBreak();
    editor.insertString(line);
  }
}

// A product taken in the picker: <button data-product="SKU"> with a <template> that holds its card.
document.addEventListener("click", (event) => {
  const option = event.target.closest("button[data-product]");
  const editor = document.querySelector("[data-rich] trix-editor")?.editor;
  if (!option || !editor) return;
  event.preventDefault();
  option.closest("dialog")?.close();
  insert(editor, new Trix.Attachment({ contentType: PRODUCT, sku: option.dataset.product, content: option.querySelector("template").innerHTML.trim() }));
});

// A card stands in a block of its own, where the caret was; at the end where nobody has put it anywhere, for no letter
// begins with a card.
function insert(editor, attachment) {
  const { element } = editor;
  const text = editor.getDocument().toString();
  if (!editor.getSelectedRange()?.[0]) editor.setSelectedRange(text.length - 1);
  element.focus();
  const [at] = editor.getSelectedRange();
  if (at > 0 && text[at - 1] !== "\n") editor.insertLineBreak();
  editor.insertAttachment(attachment);
  editor.insertLineBreak();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.("trix-editor")) event.target.blur();
});

function toTrix(html, home) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const figure of page.querySelectorAll("figure[data-product]")) {
    const sku = figure.dataset.product;
    const known = home.querySelector(`template[data-card="${CSS.escape(sku)}"]`)?.innerHTML;
    const content = (known ?? Object.assign(document.createElement("p"), { textContent: sku }).outerHTML).trim();
    figure.removeAttribute("data-product");
    figure.setAttribute("data-trix-attachment", JSON.stringify({ contentType: PRODUCT, sku, content }));
    const block = document.createElement("div");
    figure.replaceWith(block);
    block.append(figure);
  }
  for (const figure of page.querySelectorAll("figure[data-attachment]")) {
    const attachmentId = figure.dataset.attachment;
    const content = home.closest("form")?.querySelector(`template[data-picture="${CSS.escape(attachmentId)}"]`)?.innerHTML.trim() ?? "";
    figure.removeAttribute("data-attachment");
    figure.setAttribute("data-trix-attachment", JSON.stringify({ contentType: PICTURE, attachmentId, content }));
    const block = document.createElement("div");
    figure.replaceWith(block);
    block.append(figure);
  }
  keepApart(page);
  for (const paragraph of page.querySelectorAll("body > p")) {
    const block = document.createElement("div");
    block.append(...paragraph.childNodes);
    paragraph.replaceWith(block);
  }
  return page.body.innerHTML;
}

// A quote is one block of Trix's, in which paragraphs would run together: an empty line keeps them apart, and the server
// makes paragraphs of what an empty line divides.
function keepApart(page) {
  for (const quote of page.querySelectorAll("blockquote")) {
    for (const part of quote.querySelectorAll("p, div")) {
      const isLast = !part.nextSibling || ![...after(part)].some((node) => node.textContent.trim());
      const breaks = isLast || !part.textContent.trim() ? 0 : part.nodeName === "P" ? 2 : 1;
      part.replaceWith(...part.childNodes, ...Array.from({ length: breaks }, () => page.createElement("br")));
    }
  }
}

function* after(node) {
  for (let next = node.nextSibling; next; next = next.nextSibling) yield next;
}

function toCanonical(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const body = page.createElement("body");
  for (const block of [...page.body.childNodes]) {
    if (block.nodeName === "DIV" || block.nodeType === Node.TEXT_NODE) body.append(...paragraphs(page, block));
    else body.append(block, ...[...block.querySelectorAll("figure")].map((figure) => product(page, figure)));
    for (const figure of body.querySelectorAll("figure[data-trix-attachment]")) figure.remove();
  }
  return body.innerHTML;
}

// One block of Trix's: its text as paragraphs, its cards between them.
function paragraphs(page, block) {
  const found = [];
  let paragraph = null;
  for (const node of block.nodeType === Node.TEXT_NODE ? [block] : [...block.childNodes]) {
    const figure = node.nodeType === Node.ELEMENT_NODE && (node.matches("figure") ? node : node.querySelector("figure"));
    if (figure) {
      found.push(product(page, figure));
      paragraph = null;
    } else {
      if (!paragraph) found.push((paragraph = page.createElement("p")));
      paragraph.append(node);
    }
  }
  return found.filter((each) => each && (each.nodeName === "FIGURE" || trimmed(each).textContent.trim()));
}

function trimmed(paragraph) {
  while (paragraph.firstChild?.nodeName === "BR") paragraph.firstChild.remove();
  while (paragraph.lastChild?.nodeName === "BR") paragraph.lastChild.remove();
  return paragraph;
}

function product(page, figure) {
  const { sku, attachmentId } = JSON.parse(figure.dataset.trixAttachment ?? "{}");
  const clean = page.createElement("figure");
  if (sku) clean.dataset.product = sku;
  if (attachmentId) clean.dataset.attachment = attachmentId;
  return sku || attachmentId ? clean : "";
}
