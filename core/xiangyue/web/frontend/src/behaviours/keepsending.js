// Answers that must arrive over a poor network ([data-keep-sending]): a tap is kept on this device from the moment it is
// sent until the server has answered for it. What did not get through is tried again by itself while the page is open,
// and when any page of the same account opens again. Each carries an id of its own (client_id), so one that arrives
// twice counts once.
import { onReady, store } from "./shared.js";

const EVERY = 5000;
const DAYS_KEPT = 7; // a call ends by itself within a week
const account = document.body.dataset.account || "";
const prefix = `xy-unsent:${account}:`;
const token = document.querySelector('meta[name="csrf-token"]')?.content || "";
const signIn = document.body.dataset.signIn || "/sign-in";
// Taps of this page that wait for their next try.
const waiting = new Map();

// Taps of pages that were closed; one that arrived as its page was closed is still kept. Only a try that fails, or hangs,
// says that they are unsent.
const left = new Set();
let late = false;

const partOf = (elt) => elt instanceof Element && elt.closest("[data-keep-sending]");

function unsent() {
  for (const part of document.querySelectorAll("[data-keep-sending]")) {
    const note = part.querySelector(".xy-unsent");
    if (note) note.hidden = !(waiting.size || (late && left.size));
  }
}

function tap(button) {
  const values = button.form ? [...new FormData(button.form)] : [];
  if (button.name) values.push([button.name, button.value]);
  return values.filter(([name]) => name !== "csrf_token");
}

// The buttons of a form are answers of their own.
const keyOf = (button) => {
  const id = button.form?.elements.client_id?.value;
  return id && account ? `${prefix}${id}:${button.name}=${button.value}` : "";
};
// What of this page was said since of the same household: it is not tried again.
const outdated = new Set();

// An answer of whatever kind settles it, but for one of a server in trouble, or to somebody whose session has ended.
const UNSETTLED = [0, 401, 403, 429];
const settled = (status, address) =>
  status < 500 && !UNSETTLED.includes(status) && new URL(address || location.href, location).pathname !== signIn;

const householdOf = (values) => values.find(([name]) => name === "household_id")?.[1];

// What is said now of a household counts, not what was said before and would arrive later.
function supersede(now, { url, values }) {
  const household = householdOf(values);
  outdated.delete(now);
  for (const key of household ? store.keys(prefix) : []) {
    const one = store.get(key);
    if (key === now || one?.url !== url || householdOf(one.values) !== household) continue;
    store.remove(key);
    left.delete(key);
    waiting.delete(key);
    outdated.add(key);
  }
}

document.addEventListener("htmx:beforeRequest", ({ detail: { elt, requestConfig } }) => {
  const key = partOf(elt) && keyOf(elt);
  if (!key) return;
  const said = { at: Date.now(), url: requestConfig.path, values: tap(elt) };
  supersede(key, said);
  store.set(key, said);
});

document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr } }) => {
  const key = elt instanceof HTMLButtonElement && keyOf(elt);
  if (key && settled(xhr.status, xhr.responseURL)) store.remove(key);
});

function again() {
  const [first] = waiting;
  if (!first) return;
  const [key, button] = first;
  waiting.delete(key);
  if (button.isConnected) button.click();
  else if (typeof key === "string") {
    left.add(key);
    sendLeft();
  }
}

for (const type of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(
    type,
    (event) => {
      const { elt } = event.detail;
      if (!partOf(elt)) return;
      // No notice at the edge as well: the part says it.
      event.stopImmediatePropagation();
      if (outdated.has(keyOf(elt))) return;
      waiting.set(keyOf(elt) || elt, elt);
      unsent();
      setTimeout(again, EVERY);
    },
    true,
  );
}

let sending = false;

// In the order of the taps.
async function sendLeft() {
  if (sending || !left.size) return;
  sending = true;
  let sent = 0;
  let later = true;
  try {
    for (const key of [...left].sort((a, b) => (store.get(a)?.at || 0) - (store.get(b)?.at || 0))) {
      const one = store.get(key);
      if (one && Date.now() - one.at < DAYS_KEPT * 86400000) {
        const answer = await fetch(one.url, {
          method: "POST",
          headers: { "X-CSRF-Token": token },
          body: new URLSearchParams(one.values),
        });
        if (!settled(answer.status, answer.url)) {
          later = answer.status >= 500; // else when a page opens again
          break;
        }
        sent += 1;
      }
      store.remove(key);
      left.delete(key);
    }
  } catch {
    // No network still.
  }
  sending = false;
  late = true;
  unsent();
  if (left.size) {
    if (later) setTimeout(sendLeft, EVERY);
  } // The page was made before they arrived.
  else if (sent && document.querySelector("[data-keep-sending]")) location.reload();
}

onReady((root) => {
  if (root !== document) return unsent();
  for (const key of account ? store.keys(prefix) : []) left.add(key);
  setTimeout(() => {
    late = true;
    unsent();
  }, EVERY);
  sendLeft();
});
window.addEventListener("online", () => {
  again();
  sendLeft();
});
