// Lists: filters that act at once, rows to select, tables that are wider than the page.
import { announce, on, onReady, texts } from "./shared.js";

let typing;
on("change", "form[data-autosubmit]", (form, event) => {
  if (!event.target.matches("input[type=search]")) form.requestSubmit();
});
on("input", "form[data-autosubmit] input[type=search]", (field) => {
  clearTimeout(typing);
  // One sign short of a citizen number: wait for the last one.
  if (/^\d{17}$/.test(field.value.trim())) return;
  typing = setTimeout(() => field.isConnected && field.form.requestSubmit(), 400);
});
// Empty conditions say nothing; they stay out of the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" || !event.target.matches("form[data-autosubmit]")) return;
  const given = event.detail.formData;
  for (const name of new Set(given.keys())) {
    const kept = given.getAll(name).filter((value) => value !== "");
    given.delete(name);
    for (const value of kept) given.append(name, value);
  }
});

function count(form) {
  const boxes = [...document.querySelectorAll(`input[form="${form.id}"]`)];
  const chosen = boxes.filter((box) => box.checked).length;
  form.hidden = chosen === 0;
  form.querySelector("[data-bulk-count]").textContent = texts.selected.replace("{n}", chosen);
  const all = document.querySelector(`[data-select-all="${form.id.replace(/-bulk$/, "")}"]`);
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  for (const box of boxes) box.closest("tr")?.classList.toggle("xy-selected", box.checked);
}

on("change", "[data-select-all]", (box) => {
  const form = document.getElementById(`${box.dataset.selectAll}-bulk`);
  if (!form) return;
  for (const row of document.querySelectorAll(`input[form="${form.id}"]`)) row.checked = box.checked;
  count(form);
});
on("change", "input[form$='-bulk']", (box) => box.form && count(box.form));

const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const table = target.querySelector("table");
    const wide = table && table.scrollWidth > target.clientWidth + 1;
    target.classList.toggle("xy-wide", Boolean(wide));
    // A region that scrolls must be reachable by keyboard.
    if (wide) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

// On a phone the conditions fold away behind one button, and stay open while they are used.
let unfolded = false;
const small = window.matchMedia("(max-width: 767.98px)");
function fold(form) {
  const button = form.querySelector("[data-fold]");
  if (!button) return;
  button.hidden = !small.matches;
  form.classList.toggle("xy-folded", small.matches && !unfolded);
  button.setAttribute("aria-expanded", String(unfolded));
}
on("click", "[data-fold]", (button) => {
  unfolded = !unfolded;
  fold(button.form);
});
small.addEventListener?.("change", () => document.querySelectorAll("form.xy-filters").forEach(fold));

onReady((root) => {
  for (const form of root.querySelectorAll("form.xy-filters")) fold(form);
  for (const form of root.querySelectorAll("form[data-bulk]")) count(form);
  for (const wrap of root.querySelectorAll("[data-wide]")) widths.observe(wrap);
});

document.addEventListener("htmx:afterSettle", (event) => announce(event.detail.elt?.dataset?.announce));
