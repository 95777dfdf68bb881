// Menus (details[data-menu]), the navigation on a phone, the search key, lists that filter as one types.
import { on } from "./shared.js";

const menus = () => document.querySelectorAll("details[data-menu][open], details.xy-decision[open]");

document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of menus()) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
    closeNav();
  }
  // The operator's console has a box of its own; a county's search is in search.js.
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    if (search.offsetParent) {
      search.focus();
      search.select();
    } else {
      window.location.assign(search.form.action);
    }
  }
});
// Arrow keys walk through an open menu, as through the menus of other programs.
on("keydown", "details[data-menu][open]", (menu, event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("select, textarea")) return;
  const stops = [...menu.querySelectorAll("summary, a, button, input")].filter((el) => el.offsetParent);
  const at = stops.indexOf(document.activeElement);
  const next = stops[(at + (event.key === "ArrowDown" ? 1 : -1) + stops.length) % stops.length];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});
on("toggle", "details[data-menu]", (menu) => {
  if (!menu.open) return;
  for (const other of menus()) if (other !== menu && !other.contains(menu)) other.open = false;
  menu.querySelector("input[type=search]")?.focus();
}, true);

// What opens near the right edge opens leftwards; on a phone it may still have to move sideways.
on("toggle", "details[data-menu], details.xy-decision", (menu) => {
  const body = menu.querySelector(".xy-menu-body, .xy-decision-body");
  if (!menu.open || !body) return;
  body.style.marginLeft = "";
  body.classList.remove("xy-menu-end-now");
  const room = document.documentElement.clientWidth - 8;
  if (body.getBoundingClientRect().right <= room) return;
  body.classList.add("xy-menu-end-now");
  const { left } = body.getBoundingClientRect();
  if (left < 8) {
    body.classList.remove("xy-menu-end-now");
    body.style.marginLeft = `${room - body.getBoundingClientRect().right}px`;
  }
}, true);

// A list that htmx filtered has a new address: the area links and the way back of the language switch go on from there.
document.addEventListener("htmx:pushedIntoHistory", () => {
  for (const link of document.querySelectorAll("a[data-here]")) {
    const target = new URL(link.href);
    if (target.pathname !== location.pathname) continue;
    const now = new URL(location.href);
    now.searchParams.set("area", target.searchParams.get("area"));
    for (const name of ["after", "before"]) now.searchParams.delete(name);
    link.href = now.pathname + now.search;
  }
  for (const field of document.querySelectorAll("input[data-here]")) field.value = location.pathname + location.search;
});

const nav = document.getElementById("nav");
const opener = document.querySelector("[data-nav-toggle]");
function closeNav() {
  if (!nav?.classList.contains("xy-open")) return;
  nav.classList.remove("xy-open");
  opener.setAttribute("aria-expanded", "false");
  opener.focus();
}
if (nav && opener) {
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-expanded", "false");
  opener.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      event.preventDefault();
      opener.click();
    }
  });
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    const open = nav.classList.toggle("xy-open");
    opener.setAttribute("aria-expanded", String(open));
    if (open) nav.focus();
  });
}
on("click", "[data-nav-close]", (link, event) => {
  event.preventDefault();
  closeNav();
});

on("input", "[data-filter-list]", (field) => {
  const wanted = field.value.trim().toLowerCase();
  for (const item of document.querySelectorAll(`${field.dataset.filterList} > li`)) {
    const code = item.querySelector("[data-code]")?.dataset.code || "";
    item.hidden = !(item.textContent.toLowerCase().includes(wanted) || code.startsWith(wanted));
  }
});
on("keydown", "[data-filter-list]", (field, event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  document.querySelector(`${field.dataset.filterList} > li:not([hidden]) a`)?.click();
});
