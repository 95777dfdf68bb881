// data-draft="key" on a form: what is typed is kept on this device until it was saved, so a lost network, a closed
// page or an expired session loses nothing. Kept per account; never passwords, files or fields marked data-no-draft.
// Signing out removes the account's drafts: village offices share computers.
import { on, onReady, store, texts } from "./shared.js";

const account = document.body.dataset.account || "";
const prefix = `xy-draft:${account}:`;
const DAYS_KEPT = 3;
// Version and client id travel with the draft: an old version still meets the lost-update check, and sending twice
// still makes one record.
const CARRIED = ["version", "client_id"];

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

function write(form, values) {
  const left = Object.fromEntries(Object.entries(values).map(([name, list]) => [name, [...list]]));
  for (const el of fields(form)) {
    const list = left[el.name];
    if (!list) continue;
    if (["checkbox", "radio"].includes(el.type)) el.checked = list.includes(el.value);
    else if (el.multiple) for (const option of el.options) option.selected = list.includes(option.value);
    else if (list.length) el.value = list.shift();
    el.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

const typed = (values) => JSON.stringify({ ...values, version: undefined, client_id: undefined });

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

onReady((root) => {
  const here = new Set();
  for (const form of root.querySelectorAll("form[data-draft]")) {
    if (form.dataset.drafted) continue;
    form.dataset.drafted = "yes";
    const key = prefix + form.dataset.draft;
    here.add(key);
    const draft = store.get(key);
    const first = read(form);
    if ("answered" in form.dataset) {
      // The server sent back what was typed, with what is wrong with it: that is the newest state.
      store.set(key, { at: Date.now(), values: first });
    } else if (draft && "saved" in document.body.dataset && draft.sent) {
      store.remove(key);
    } else if (draft && typed(draft.values) !== typed(first)) {
      write(form, draft.values);
      note(form, texts.restored, () => {
        store.remove(key);
        write(form, first);
        note(form, "");
      });
    }
    let timer;
    const keep = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const values = read(form);
        if (typed(values) === typed(first) && !("answered" in form.dataset)) store.remove(key);
        else if (store.set(key, { at: Date.now(), values })) note(form, texts.kept);
      }, 300);
    };
    form.addEventListener("input", keep);
    form.addEventListener("change", keep);
    form.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) store.set(key, { at: Date.now(), values: read(form), sent: true });
    });
  }
  if (root !== document) return;
  // A draft that was sent, and whose answer is neither its form again, nor an error, nor the sign-in: it was saved.
  const answered = account && !("error" in document.body.dataset);
  for (const key of store.keys("xy-draft:")) {
    const draft = store.get(key);
    const old = !draft || Date.now() - draft.at > DAYS_KEPT * 86400000;
    if (old || (answered && draft.sent && key.startsWith(prefix) && !here.has(key))) store.remove(key);
  }
});

on("submit", "[data-sign-out]", () => store.keys(prefix).forEach((key) => store.remove(key)));
