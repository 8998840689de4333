// <wish-form product="CAL-TUR" size="36"></wish-form> on a page of the shop. No cookie, no inline style, no other file;
// every word comes from the house. What stands between the tags shows where there is no script.
const home = new URL(".", document.currentScript.src).href.replace(/\/$/, "");

const looks = `
:host { display: block; font: inherit; color: inherit; line-height: 1.5; }
form, fieldset, details > div { display: grid; gap: 1rem; min-width: 0; border: 0; padding: 0; margin: 0; }
h2 { font: inherit; font-size: 1.3em; margin: 0; }
p { margin: 0; }
legend, label { font-size: .875em; padding: 0; }
.sizes { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: .5rem; margin: .375rem 0; }
.sizes label { position: relative; }
.sizes input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.sizes span { display: grid; place-content: center; text-align: center; height: 100%; min-height: 3rem; padding: 0 .25rem; box-sizing: border-box; border: 1px solid; }
.sizes small { font-size: .8em; line-height: 1.2; }
.sizes :checked + span { background: var(--wish-ink, #191a1b); color: var(--wish-on-ink, #fff); }
.sizes :focus-visible + span, :focus-visible { outline: 2px solid; outline-offset: 2px; }
.field { display: grid; gap: .25rem; }
.field input { font: inherit; color: inherit; background: transparent; border: 1px solid; border-radius: 0; min-height: 2.75rem; padding: 0 .75rem; box-sizing: border-box; width: 100%; }
.small { font-size: .8125em; }
summary { cursor: pointer; padding: .6rem 0; }
button { font: inherit; min-height: 2.75rem; padding: 0 1.25rem; border: 0; cursor: pointer; background: var(--wish-ink, #191a1b); color: var(--wish-on-ink, #fff); }
button[disabled] { opacity: .6; cursor: progress; }
@media (forced-colors: active) { .sizes :checked + span { outline: 3px solid; } }`;

// el("label", {for: "x"}, "words", node …)
const el = (name, attributes = {}, ...inside) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== false) node.setAttribute(key, value);
  node.append(...inside);
  return node;
};

class WishForm extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    const language = this.getAttribute("language") || this.closest("[lang]")?.lang || "";
    const query = new URLSearchParams({ language });
    try {
      const answer = await fetch(`${home}/wish-form/${encodeURIComponent(this.getAttribute("product"))}.json?${query}`, { credentials: "omit" });
      if (answer.ok && !this.shadowRoot) this.draw(await answer.json());
    } catch { /* what stands between the tags stays */ }
  }

  draw(texts) {
    const { words } = texts;
    const field = (name, label, attributes) => el("div", { class: "field" },
      el("label", { for: name }, label), el("input", { id: name, name, ...attributes }));
    const wanted = `${this.getAttribute("size") || ""},${this.getAttribute("sku") || ""}`.split(",");
    const sizes = texts.sizes.map(({ sku, size, label, here }) => el("label", {},
      el("input", { type: "checkbox", name: "sku", value: sku, checked: (size && wanted.includes(size)) || wanted.includes(sku) }),
      el("span", {}, label, here ? el("small", {}, ` ${words.here}`) : "")));
    const fault = el("p", { role: "alert" });
    const button = el("button", { part: "button" }, words.send);
    const one = sizes.length < 2;
    const form = el("form", { part: "form" },
      el("h2", { part: "title" }, words.title),
      el("p", {}, words.lead),
      one ? "" : el("fieldset", {}, el("legend", {}, words.sizes), el("div", { class: "sizes" }, ...sizes), texts.sizes.some(({ here }) => here) ? el("p", { class: "small" }, words.buy) : ""),
      field("email", words.email, { type: "email", autocomplete: "email", required: "", maxlength: 254 }),
      el("details", {}, el("summary", {}, words.more), el("div", {},
        field("quantity", words.quantity, { type: "number", min: 1, max: 9, value: 1 }),
        field("needed_by", words.needed_by, { type: "date" }),
        field("ceiling", `${words.ceiling} (${texts.currency})`, { inputmode: "decimal", maxlength: 10 }),
        el("label", {}, el("input", { type: "checkbox", name: "similar", value: "yes" }), ` ${words.similar}`))),
      el("p", { class: "small" }, texts.consent_words),
      fault, button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(texts, form, fault, button);
    });
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(looks);
    root.adoptedStyleSheets = [sheet];
    root.append(form);
    this.setAttribute("lang", texts.language);
  }

  async send(texts, form, fault, button) {
    const { words } = texts;
    const body = new URLSearchParams(new FormData(form));
    if (!body.has("sku") && texts.sizes.length > 1) {
      fault.textContent = words.no_size;
      form.elements.sku[0].focus();
      return;
    }
    for (const name of ["product", "language", "consent"]) body.set(name, texts[name]);
    fault.textContent = "";
    button.disabled = true;
    button.textContent = words.sending;
    try {
      const answer = await fetch(texts.action, { method: "POST", body, credentials: "omit", headers: { Accept: "application/json" } });
      const told = await answer.json();
      if (answer.ok) {
        const said = el("p", { role: "status", tabindex: -1, part: "said" }, told.said);
        form.replaceWith(said);
        said.focus();
        return;
      }
      fault.textContent = told.error;
    } catch {
      fault.replaceChildren(`${words.failed} `, el("a", { href: texts.page }, texts.page));
    }
    button.disabled = false;
    button.textContent = words.send;
  }
}

customElements.get("wish-form") || customElements.define("wish-form", WishForm);
