// The search dialog: opened by Ctrl-K, "/", the box in the top bar or the button on a phone. htmx brings the results
// as one types; the field walks through them (a combobox), the dialog keeps the focus inside.
import { announce, on, texts } from "./shared.js";

const dialog = document.getElementById("xy-find");
const field = document.getElementById("xy-find-q");
const found = document.getElementById("xy-find-found");
const options = () => [...found.querySelectorAll("[role=option]")];

function open(typed = "") {
  if (!dialog.open) dialog.showModal();
  if (typed) {
    field.value = typed;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  field.focus();
  field.select();
  if (typed) field.setSelectionRange(typed.length, typed.length);
}

function choose(option) {
  for (const other of found.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
  if (option) {
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

/** The list belongs to what stands in the field; while it does not yet, Enter must not open something else. */
function stale(is) {
  if (!is) return found.removeAttribute("aria-busy");
  found.setAttribute("aria-busy", "true");
  return choose(null);
}

function shown() {
  const all = options();
  stale(false);
  dialog.classList.toggle("xy-find-some", found.childElementCount > 0);
  field.setAttribute("aria-expanded", String(all.length > 0));
  // The list is there with its results only.
  if (all.length > 0) field.setAttribute("aria-controls", "xy-find-list");
  else field.removeAttribute("aria-controls");
  choose(null);
  if (field.value.trim()) announce(texts.found.replace("{n}", all.length));
}

const typing = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]");

if (dialog && field && found) {
  document.addEventListener("keydown", (event) => {
    const find = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target);
    if (event.isComposing || !(find || slash)) return;
    // A question that waits for its answer goes first.
    if (!dialog.open && document.querySelector("dialog[open]")) return;
    event.preventDefault();
    open();
  });
  on("click", "[data-find-open]", (opener, event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  on("input", "input[data-find-open]", (box) => {
    const typed = box.value;
    box.value = "";
    open(typed);
  });
  on("click", "[data-find-close]", () => dialog.close());
  // A touch beside the dialog closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  field.addEventListener("input", () => {
    stale(true);
    if (field.value.trim()) return;
    found.replaceChildren();
    shown();
  });
  // One sign short of a citizen number: wait for the last one.
  field.addEventListener("htmx:confirm", (event) => {
    const typed = field.value.trim();
    if (!typed || /^\d{17}$/.test(typed)) event.preventDefault();
  });
  found.addEventListener("htmx:beforeSwap", (event) => {
    if (!field.value.trim()) event.detail.shouldSwap = false;
  });
  found.addEventListener("htmx:afterSettle", shown);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = found.hasAttribute("aria-busy") ? [] : options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      event.preventDefault();
      const down = event.key === "ArrowDown";
      choose(all[at < 0 ? (down ? 0 : all.length - 1) : (at + (down ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      all[at].click();
    }
  });
  on("click", "#xy-find-found [role=option]", () => dialog.close());
}
