// <form data-autosave="/drafts/7">: what is written is kept on the server a moment after each pause, and on leaving.
// The answer is JSON: {"version": 4} or, a refusal, {"message": "…"}.
import { whenAdded } from "./added.js";

const PAUSE = 800;

whenAdded("form[data-autosave]", (form) => {
  const status = form.querySelector("[data-autosave-status]");
  const words = status?.dataset ?? {};
  let timer = 0;
  let dirty = false;
  let busy = false;
  const afterwards = [];
  let last = snapshot(form);

  const say = (state, text) => {
    if (!status) return;
    status.dataset.state = state;
    if (status.textContent !== text) status.textContent = text;
  };

  const send = async (leaving = false) => {
    clearTimeout(timer);
    const body = new FormData(form);
    if (busy && !leaving) return;
    if (!dirty || !form.isConnected) return; // a form that was replaced has nothing more to say
    busy = true;
    dirty = false;
    last = snapshot(form);
    say("saving", words.saving ?? "");
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: withoutFiles(body), keepalive: leaving, credentials: "same-origin",
        headers: { Accept: "application/json", "X-Requested-With": "fetch" },
      });
      const facts = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
      if (answer.status >= 500) throw new TypeError(answer.statusText); // like a lost network: tried again
      if (!answer.ok) throw new Error(facts.message ?? facts.error ?? words.failed ?? "");
      if (facts.version !== undefined && form.elements.version) form.elements.version.value = facts.version;
      say("saved", words.saved ?? "");
    } catch (error) {
      dirty = true;
      say("failed", (error instanceof TypeError ? words.failed : error.message) || words.failed || "");
      if (error instanceof TypeError) timer = setTimeout(send, 5000); // the network, not a refusal
    } finally {
      busy = false;
      for (const go of afterwards.splice(0)) go();
    }
    if (dirty && status?.dataset.state === "saved") timer = setTimeout(send, PAUSE);
  };

  const noticed = () => {
    if (snapshot(form) === last) return;
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE);
  };
  form.addEventListener("input", noticed);
  form.addEventListener("change", noticed);
  form.addEventListener("house:changed", noticed);
  // What is sent while a save is under way waits for it: else it would name a version that is no longer the newest.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (busy && !form.hasAttribute("hx-post")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const { submitter } = event;
      afterwards.push(() => form.requestSubmit(submitter));
    } else dirty = false;
  }, { capture: true });
  form.addEventListener("htmx:confirm", (event) => {
    if (event.detail.verb === "get") return; // news that are read for a part of it: nothing is sent
    clearTimeout(timer);
    dirty = false;
    if (!busy) return;
    event.preventDefault();
    afterwards.push(() => event.detail.issueRequest(true));
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden && form.isConnected) send(true); });
  window.addEventListener("online", () => { if (dirty) send(); });
});

function withoutFiles(body) {
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  return body;
}

// What says when it leaves (data-aside) is no part of what is written.
function snapshot(form) {
  const aside = new Set(["version", ...[...form.querySelectorAll("[data-aside]")].map((each) => each.name)]);
  return JSON.stringify([...new FormData(form)].filter(([name, value]) => typeof value === "string" && !aside.has(name)));
}
