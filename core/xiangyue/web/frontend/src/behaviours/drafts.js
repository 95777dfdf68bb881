// data-draft="key" on a form: what is typed is kept on this device until it was saved, so a lost network, a closed
// page or an expired session loses nothing. Kept per account; never passwords, files or fields marked data-no-draft.
// Signing out removes the account's drafts: village offices share computers.
import { on, onReady, store, texts, toast } from "./shared.js";

const account = document.body.dataset.account || "";
const prefix = `xy-draft:${account}:`;
const DAYS_KEPT = 3;
// Version, what the form was opened with, and client id travel with the draft: an old version still meets the
// lost-update check, and sending twice still makes one record.
const CARRIED = ["version", "opened", "client_id"];

const fields = (form) =>
  [...form.elements].filter(
    (el) =>
      el.name &&
      !["password", "file", "submit", "button"].includes(el.type) &&
      (el.type !== "hidden" || CARRIED.includes(el.name)) &&
      !("noDraft" in el.dataset),
  );

function read(form) {
  const values = {};
  for (const el of fields(form)) {
    values[el.name] ??= [];
    if (["checkbox", "radio"].includes(el.type)) {
      if (el.checked) values[el.name].push(el.value);
    } else if (el.multiple) {
      for (const option of el.selectedOptions) values[el.name].push(option.value);
    } else {
      values[el.name].push(el.value);
    }
  }
  return values;
}

let restoring = false;

function write(form, values) {
  restoring = true;
  const left = Object.fromEntries(Object.entries(values).map(([name, list]) => [name, [...list]]));
  for (const el of fields(form)) {
    const list = left[el.name];
    if (!list) continue;
    if (["checkbox", "radio"].includes(el.type)) el.checked = list.includes(el.value);
    else if (el.multiple) for (const option of el.options) option.selected = list.includes(option.value);
    else if (list.length) el.value = list.shift();
    el.dispatchEvent(new Event("change", { bubbles: true }));
  }
  restoring = false;
}

const typed = (values) => JSON.stringify({ ...values, version: undefined, opened: undefined, client_id: undefined });

function note(form, text, discard) {
  const place = form.querySelector("[data-draft-note]");
  if (!place) return;
  place.hidden = false;
  place.textContent = `${text} `;
  if (discard) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "xy-link";
    button.textContent = texts.discard;
    button.addEventListener("click", discard);
    place.append(button);
  }
}

// A sent draft counts as saved only on proof: the page says so (a success message), or it is the page that the form's
// own sending led to. Otherwise (dead network, sign-in in between) it stays.
function wasSaved(draft) {
  if (!draft.sent || !account || "error" in document.body.dataset) return false;
  return "saved" in document.body.dataset || (document.referrer && new URL(document.referrer).pathname === draft.page);
}

function setUp(form) {
  form.dataset.drafted = "yes";
  const key = prefix + form.dataset.draft;
  const draft = store.get(key);
  const first = read(form);
  const answered = "answered" in form.dataset;
  const keepNow = (more) => store.set(key, { at: Date.now(), page: location.pathname, values: read(form), ...more });
  if (answered) {
    // The server sent back what was typed, with what is wrong with it or what it suggests: that is the newest state.
    keepNow();
  } else if (draft?.sent && "saved" in document.body.dataset) {
    store.remove(key);
  } else if (draft && typed(draft.values) !== typed(first)) {
    write(form, draft.values);
    keepNow();
    toast({ text: texts.restored, kind: "info" });
    note(form, texts.restored, () => {
      store.remove(key);
      write(form, first);
      note(form, "");
    });
  }
  let timer;
  const keep = () => {
    // Putting a draft back announces changes too; only people's own count.
    if (restoring) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!answered && typed(read(form)) === typed(first)) store.remove(key);
      else if (keepNow()) note(form, texts.kept);
    }, 300);
  };
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!event.defaultPrevented) keepNow({ sent: true });
  });
  window.addEventListener("pageshow", (event) => event.persisted && store.get(key) && keepNow());
}

onReady((root) => {
  for (const form of root.querySelectorAll("form[data-draft]:not([data-drafted])")) setUp(form);
  if (root !== document) return;
  const here = new Set([...document.querySelectorAll("form[data-draft]")].map((form) => prefix + form.dataset.draft));
  for (const key of store.keys("xy-draft:")) {
    const draft = store.get(key);
    const old = !draft || Date.now() - draft.at > DAYS_KEPT * 86400000;
    if (old || (key.startsWith(prefix) && !here.has(key) && wasSaved(draft))) store.remove(key);
  }
});

// A form that htmx sent and the server took (a refusal comes back as 409 or 422) needs its draft no more.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target instanceof Element && event.target.closest("form[data-draft]");
  if (form && event.detail.successful) store.remove(prefix + form.dataset.draft);
});

on("submit", "[data-sign-out]", () => store.keys(prefix).forEach((key) => store.remove(key)));
