// Everything pages do in the browser beyond links and forms. Each behaviour is bound to an attribute and works on
// parts that htmx brings later; without this file every page still works.
// First of all, so that it hears before the others.
import "./behaviours/composing.js";
import htmx from "htmx.org";
import "./behaviours/confirm.js";
import "./behaviours/drafts.js";
import "./behaviours/forms.js";
import "./behaviours/gridboard.js";
import "./behaviours/keepsending.js";
import "./behaviours/lists.js";
import "./behaviours/menus.js";
import "./behaviours/network.js";
import "./behaviours/printing.js";
import "./behaviours/search.js";
import { onReady } from "./behaviours/shared.js";

// The page's policy allows no injected styles and no eval; page snapshots would leave personal data in the browser.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;
htmx.config.selfRequestsOnly = true;
htmx.config.timeout = 20000;
htmx.config.scrollIntoViewOnBoost = false;
// A refused form (409 lost update, 422 errors) comes back as the form again.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "4(09|22)", swap: true },
  { code: "[45]..", swap: false, error: true },
];
window.htmx = htmx;
document.documentElement.classList.add("xy-js");

// Errors at the top take the focus, so a screen reader and a keyboard start there.
onReady((root) => root.querySelector("[data-focus]")?.focus());
