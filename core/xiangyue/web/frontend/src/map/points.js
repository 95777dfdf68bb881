// Points of a map: households of a draft, by their part as number, shape and colour; chosen by click or rectangle.
import L from "leaflet";

const SHAPES = 4;

function icon(point, chosen) {
  const html = document.createElement("span");
  html.textContent = point.mark;
  html.className = `xy-pin xy-pin-${point.colour % SHAPES} xy-lot-${point.colour}`;
  return L.divIcon({ className: chosen ? "xy-pin-box xy-pin-chosen" : "xy-pin-box", html, iconSize: [26, 26] });
}

/** A layer of points; with a board (`data-map-board`) they choose its households. */
export function setUpPoints(map, box, points) {
  const board = box.dataset.mapBoard ? document.getElementById(box.dataset.mapBoard) : null;
  const input = (point) => board?.querySelector(`[data-household="${point.id}"] input`);
  const layer = L.featureGroup();
  const markers = new Map();
  const refresh = () => {
    for (const [point, marker] of markers) {
      const chosen = Boolean(input(point)?.checked);
      if (marker.chosen === chosen) continue;
      marker.chosen = chosen;
      marker.setIcon(icon(point, chosen));
    }
  };
  const choose = (list, how) => {
    for (const point of list) {
      const field = input(point);
      if (field) field.checked = how === "toggle" ? !field.checked : true;
    }
    if (board) board.dispatchEvent(new Event("change", { bubbles: true }));
  };
  for (const point of points) {
    const marker = L.marker([point.y, point.x], { icon: icon(point, false), keyboard: false, alt: point.label });
    marker.chosen = false;
    // Names are words of people and never markup, as which Leaflet would take a string.
    const words = document.createElement("span");
    words.textContent = point.label;
    marker.bindTooltip(words);
    marker.on("click", () => (board ? choose([point], "toggle") : point.url && window.location.assign(point.url)));
    markers.set(point, marker.addTo(layer));
  }
  layer.addTo(map);
  if (!board) return layer;
  board.addEventListener("change", refresh);
  refresh();
  rectangle(map, box, (bounds) => choose(points.filter((p) => bounds.contains([p.y, p.x])), "add"));
  return layer;
}

// A switch beside the map: while it is on, dragging draws a rectangle instead of moving the map.
function rectangle(map, box, done) {
  const button = document.querySelector(`[data-map-rectangle="${box.id}"]`);
  if (!button) return;
  button.hidden = false;
  let from = null;
  let shape = null;
  const on = () => button.getAttribute("aria-pressed") === "true";
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(!on()));
    button.classList.toggle("active", on());
    box.classList.toggle("xy-map-drawing", on());
    if (on()) map.dragging.disable();
    else if (!L.Browser.mobile) map.dragging.enable();
  });
  const at = (event) => map.mouseEventToLatLng(event);
  box.addEventListener("pointerdown", (event) => {
    if (!on() || event.button !== 0 || event.target.closest(".leaflet-control")) return;
    from = at(event);
    shape = L.rectangle([from, from], { className: "xy-map-rectangle", interactive: false }).addTo(map);
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    if (!shape) return;
    event.preventDefault();
    shape.setBounds(L.latLngBounds(from, at(event)));
  });
  const end = (event) => {
    if (!shape) return;
    const bounds = shape.getBounds();
    shape.remove();
    shape = null;
    if (event.type === "pointerup") done(bounds);
  };
  box.addEventListener("pointerup", end);
  box.addEventListener("pointercancel", end);
}
