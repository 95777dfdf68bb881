// What htmx's requests do when the network, the session or the server fails: say it, lose nothing, show the way on.
import { texts, toast } from "./shared.js";

const token = document.querySelector('meta[name="csrf-token"]')?.content;
const signIn = document.body.dataset.signIn || "/sign-in";
const signInAddress = () => `${signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;

document.addEventListener("htmx:configRequest", (event) => {
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRF-Token"] = token;
});

// A request whose session ended was led to the sign-in page: show that page whole, not a piece of it in a list.
document.addEventListener("htmx:beforeSwap", (event) => {
  const address = event.detail.xhr.responseURL;
  if (address && new URL(address).pathname === signIn && location.pathname !== signIn) {
    event.detail.shouldSwap = false;
    signedOut();
  }
});

function signedOut() {
  toast({ text: texts.signedOut, label: texts.signIn, act: signInAddress(), stay: true });
}

const quiet = (event) => event.target instanceof Element && event.target.closest("[data-quiet]");
const retry = (event) => {
  const { elt } = event.detail;
  return () => (elt.matches("form") ? elt.requestSubmit() : elt.click());
};

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  const number = event.detail.xhr.getResponseHeader("X-Request-ID") || "";
  if (status === 401) return signedOut();
  if (status === 403) return toast({ text: texts.forbidden });
  if (status === 404) return toast({ text: texts.gone, label: texts.reload, act: location.href });
  if (quiet(event)) return undefined;
  if (status === 429) return toast({ text: texts.tooMany });
  return toast({ text: `${texts.failed} ${number}`.trim(), label: texts.retry, act: retry(event) });
});

for (const type of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(type, (event) => {
    // A polling card simply asks again two seconds later.
    if (quiet(event)) return;
    toast({ text: texts.unreachable, label: texts.retry, act: retry(event), kind: "warning" });
  });
}
