// Small helpers that the behaviours share.

/** Sentences in the page's language, given by the layout. */
export const texts = JSON.parse(document.getElementById("xy-texts")?.textContent || "{}");

/** Run for the document and for every part that htmx swaps in. */
export function onReady(setUp) {
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", () => setUp(document));
  } else {
    setUp(document);
  }
  document.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) setUp(event.target.parentElement || event.target);
  });
}

/** `on("click", "[data-x]", (element, event) => …)`, whenever the element came into the page. */
export function on(type, selector, handle, options) {
  document.addEventListener(
    type,
    (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) handle(found, event);
    },
    options,
  );
}

/** Tell a screen reader without moving the focus. */
export function announce(text) {
  const live = document.getElementById("xy-live");
  if (live && text) live.textContent = text;
}

/** A notice at the edge with a way on: {text, label, act} where act is an address or a function. */
export function toast({ text, label, act, kind = "danger", stay = false }) {
  const area = document.getElementById("xy-toasts");
  if (!area) return;
  // The same trouble again and again is one notice.
  for (const old of area.children) if (old.dataset.text === text) old.remove();
  // Over a modal dialog only what belongs to the dialog is seen and can be pressed.
  (document.querySelector("dialog[open]") || document.body).append(area);
  const note = document.createElement("div");
  note.className = `xy-toast xy-toast-${kind}`;
  note.setAttribute("role", kind === "danger" ? "alert" : "status");
  note.dataset.text = text;
  const words = document.createElement("p");
  words.textContent = text;
  note.append(words);
  if (label) {
    const way = document.createElement(typeof act === "string" ? "a" : "button");
    way.className = "btn btn-sm";
    way.textContent = label;
    if (typeof act === "string") way.href = act;
    else
      way.addEventListener("click", () => {
        note.remove();
        act();
      });
    note.append(way);
  }
  const close = document.createElement("button");
  close.className = "xy-toast-close";
  close.setAttribute("aria-label", texts.close);
  close.textContent = "×";
  close.addEventListener("click", () => note.remove());
  note.append(close);
  area.append(note);
  if (!stay) setTimeout(() => note.remove(), 12000);
}

/** localStorage may be full, off or forbidden; then nothing is kept and nothing breaks. */
export const store = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  },
  remove(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      /* nothing was kept */
    }
  },
  keys(prefix) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  },
};
