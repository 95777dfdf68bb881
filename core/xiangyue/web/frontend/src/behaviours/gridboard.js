// A draft of grids: households dragged from one grid to another by mouse or finger, or chosen and moved by a button.
// The server does the moving; here sizes are told beforehand.
import { announce, on, onReady } from "./shared.js";

const limit = (board, name) => (board.dataset[name] ? Number(board.dataset[name]) : null);

function fits(board, households, persons) {
  const inside = (figure, what) => {
    const least = limit(board, `min${what}`);
    const most = limit(board, `max${what}`);
    return (least === null || figure >= least) && (most === null || figure <= most);
  };
  return inside(households, "Households") && inside(persons, "Persons");
}

const houses = (root) => [...root.querySelectorAll("[data-household]")];
const persons = (list) => list.reduce((sum, house) => sum + Number(house.dataset.persons), 0);
const chosen = (board) => houses(board).filter((house) => house.querySelector("input:checked"));
const told = (board, list) =>
  board.dataset.size.replace("{households}", list.length).replace("{persons}", persons(list));

// Every grid as large as it would be once these households lie in the target.
function foretell(board, moving, target) {
  for (const part of board.querySelectorAll("[data-part]")) {
    const inside = houses(part).filter((house) => !moving.includes(house));
    const then = part.dataset.part === target ? [...inside, ...moving] : inside;
    const line = part.querySelector("[data-then]");
    const changes = then.length !== houses(part).length || (part.dataset.part === target && moving.length > 0);
    line.hidden = !target || !changes;
    if (line.hidden) continue;
    const good = fits(board, then.length, persons(then));
    line.textContent = `→ ${told(board, then)} · ${good ? board.dataset.good : board.dataset.bad}`;
    line.classList.toggle("xy-lot-bad", !good);
  }
}

function count(board) {
  const list = chosen(board);
  const output = board.querySelector("[data-chosen]");
  output.dataset.idle ??= output.textContent;
  output.textContent = list.length ? told(board, list) : output.dataset.idle;
  foretell(board, list, list.length ? board.elements.part.value : null);
}

on("change", "[data-grid-board]", (board) => count(board));

let drag = null;
const FAR = 8;

on("pointerdown", "[data-grid-board] [data-household]", (house, event) => {
  // A finger that scrolls must go on scrolling: it drags by the handle of a chosen house only.
  const box = house.querySelector("input");
  if (event.button !== 0 || event.target === box || (event.pointerType === "touch" && !box.checked)) return;
  const board = house.closest("[data-grid-board]");
  drag = { board, house, x: event.clientX, y: event.clientY, id: event.pointerId, on: false, over: null };
});

document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  if (!drag.on) {
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
    drag.on = true;
    const picked = chosen(drag.board);
    drag.moving = picked.includes(drag.house) ? picked : [drag.house];
    for (const house of drag.moving) house.classList.add("xy-house-moving");
    drag.board.classList.add("xy-dragging");
    drag.house.setPointerCapture?.(event.pointerId);
  }
  event.preventDefault();
  const part = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-part]") || null;
  if (part === drag.over) return;
  drag.over?.classList.remove("xy-lot-over");
  part?.classList.add("xy-lot-over");
  drag.over = part;
  foretell(drag.board, drag.moving, part?.dataset.part ?? null);
});

// While something is dragged by a finger the page stands still.
document.addEventListener("touchmove", (event) => drag?.on && event.preventDefault(), { passive: false });

function end(drop) {
  if (!drag) return;
  const { board, moving, over, on: moved, house } = drag;
  drag = null;
  if (!moved) return;
  board.classList.remove("xy-dragging");
  over?.classList.remove("xy-lot-over");
  for (const one of moving) one.classList.remove("xy-house-moving");
  // The click that follows a drag must not choose the house.
  house.addEventListener("click", (event) => event.preventDefault(), { once: true, capture: true });
  setTimeout(() => house.isConnected && count(board));
  if (!drop || !over || moving.every((one) => over.contains(one))) return;
  for (const one of houses(board)) one.querySelector("input").checked = moving.includes(one);
  board.elements.part.value = over.dataset.part;
  announce(told(board, moving));
  board.requestSubmit();
}
document.addEventListener("pointerup", (event) => event.pointerId === drag?.id && end(true));
document.addEventListener("pointercancel", (event) => event.pointerId === drag?.id && end(false));
document.addEventListener("keydown", (event) => event.key === "Escape" && end(false));

onReady((root) => {
  for (const board of root.querySelectorAll("[data-grid-board]")) count(board);
});
