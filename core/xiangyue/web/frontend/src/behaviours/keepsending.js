// Answers that must arrive over a poor network ([data-keep-sending]): a tap that did not get through is tried again by
// itself, in order, until it did. Each carries an id of its own, so one that arrives twice counts once.
const EVERY = 5000;
const waiting = new Set();

function unsent(part) {
  const note = part.querySelector(".xy-unsent");
  if (note) note.hidden = ![...waiting].some((button) => part.contains(button));
}

function again() {
  const [button] = waiting;
  if (!button) return;
  waiting.delete(button);
  if (button.isConnected) button.click();
  else again();
}

for (const type of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(
    type,
    (event) => {
      const { elt } = event.detail;
      const part = elt instanceof Element && elt.closest("[data-keep-sending]");
      if (!part) return;
      // No notice at the edge as well: the part says it.
      event.stopImmediatePropagation();
      waiting.add(elt);
      unsent(part);
      setTimeout(again, EVERY);
    },
    true,
  );
}
window.addEventListener("online", again);
