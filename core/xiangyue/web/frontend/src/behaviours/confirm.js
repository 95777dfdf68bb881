// data-confirm="question" on a form, a submit button or a link asks in the layout's dialog before it acts.
import { on } from "./shared.js";

const dialog = document.getElementById("xy-confirm");

/** Resolves to whether the user said yes. */
function ask(source, question) {
  if (!dialog || typeof dialog.showModal !== "function") return Promise.resolve(window.confirm(question));
  const title = dialog.querySelector("h2");
  const yes = dialog.querySelector('[value="yes"]');
  title.textContent = source.dataset.confirmTitle || title.dataset.default;
  dialog.querySelector("#xy-confirm-text").textContent = question;
  yes.textContent = source.dataset.confirmOk || yes.dataset.default;
  const danger = "confirmDanger" in source.dataset || source.classList.contains("btn-danger");
  yes.classList.toggle("btn-danger", danger);
  yes.classList.toggle("btn-primary", !danger);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// In the capture phase: before the double-submit guard and before htmx see the event.
document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const source = [event.submitter, form].find((part) => part?.dataset.confirm);
    if (!source) return;
    if (form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    // What must be typed is asked for before whether one is sure.
    const lacking = source === form && [...form.elements].find((el) => el.required && !el.value && el.offsetParent);
    if (lacking) {
      lacking.reportValidity();
      return;
    }
    if (await ask(source, source.dataset.confirm)) {
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter || undefined);
    }
  },
  true,
);

on("click", "a[data-confirm]", async (link, event) => {
  event.preventDefault();
  if (await ask(link, link.dataset.confirm)) window.location.assign(link.href);
});

document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await ask(event.detail.elt, event.detail.question)) event.detail.issueRequest(true);
});

// On a link the dialog is the short way: without a script the link leads to the whole form.
on("click", "[data-dialog-open]", (button, event) => {
  const sheet = document.getElementById(button.dataset.dialogOpen);
  if (!sheet) return;
  event.preventDefault();
  sheet.showModal();
});
