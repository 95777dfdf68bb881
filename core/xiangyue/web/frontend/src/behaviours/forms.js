// Forms: one sending at a time, nothing sent into a dead network, small helps inside fields.
import { on, onReady, texts, toast } from "./shared.js";

// data-guard: a second press while the first is under way does nothing.
on("submit", "form[data-guard]", (form, event) => {
  if (event.defaultPrevented) return;
  if (form.dataset.sending) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.method === "post" && navigator.onLine === false) {
    event.preventDefault();
    event.stopImmediatePropagation();
    toast({ text: form.dataset.draft ? texts.offline : texts.offlineNow, kind: "warning" });
    return;
  }
  form.dataset.sending = "yes";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
}, true);

// data-no-enter: each button of the form says something else (who died, boy or girl). The browser would press the first
// when somebody who typed a note presses Enter, or Go on a phone.
on("keydown", "form[data-no-enter] input", (_field, event) => {
  if (event.key === "Enter") event.preventDefault();
});

const release = (form) => {
  delete form.dataset.sending;
  for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
};
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target instanceof Element && event.target.closest("form[data-guard]");
  if (form) release(form);
});
// Back from the browser's page cache the form must be usable again; a download answers without leaving the page.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(release));
on("submit", "form[data-guard]", (form) => setTimeout(() => release(form), 15000));

on("click", "[data-copy]", async (button) => {
  const field = document.querySelector(button.dataset.copy);
  if (!field) return;
  try {
    await navigator.clipboard.writeText(field.value ?? field.textContent);
  } catch {
    // Without https there is no clipboard API; the old way still works on a selected field.
    field.select();
    document.execCommand("copy");
  }
  const words = button.querySelector("span");
  const before = words.textContent;
  words.textContent = button.dataset.copied;
  setTimeout(() => (words.textContent = before), 2000);
});

on("click", "[data-show-password]", (button) => {
  const field = document.querySelector(button.dataset.showPassword);
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  button.querySelector("span").textContent = shown ? texts.show : texts.hide;
});

// Lost update: put the value that stands now into the field.
on("click", "[data-take]", (button) => {
  const field = document.querySelector(button.dataset.take);
  if (!field) return;
  const value = button.dataset.takeValue;
  const boxes = field.matches("fieldset") ? field.querySelectorAll("input") : [];
  if (boxes.length) for (const box of boxes) box.checked = value.split(",").includes(box.value);
  else if (field.type === "checkbox") field.checked = [field.value, "true", "True", "on"].includes(value);
  else field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  field.focus();
});

for (const [type, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  on(type, "[data-drop]", (area, event) => {
    event.preventDefault();
    area.classList.toggle("xy-drop-over", over);
    if (type === "drop" && event.dataTransfer?.files.length) {
      const field = area.querySelector("input[type=file]");
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

onReady((root) => {
  for (const button of root.querySelectorAll("[data-show-password]")) button.hidden = false;
});
