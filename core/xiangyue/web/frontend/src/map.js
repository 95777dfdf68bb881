// Draws outlines (and points) of a page on a map: on tiles where the installation has some, else on plain ground.
// What stands on the map stands in a table beside it too.
import L from "leaflet";
import { setUpPoints } from "./map/points.js";

function row(id) {
  return document.querySelector(`[data-map-row="${id}"]`);
}

function label(title, text) {
  const box = document.createElement("span");
  box.textContent = title;
  if (text) {
    const small = document.createElement("small");
    small.textContent = text;
    box.append(small);
  }
  return box;
}

function light(layer, id, lit) {
  layer.getElement()?.classList.toggle("xy-map-lit", lit);
  row(id)?.classList.toggle("xy-map-row-lit", lit);
}

function drawShape(map, shape, many) {
  const edge = shape.state === "edge";
  const layer = L.geoJSON(shape.geometry, { className: `xy-map-shape xy-map-${shape.state}`, interactive: !edge, style: { stroke: true } });
  layer.addTo(map);
  const [first] = layer.getLayers();
  if (edge) return layer;
  const names = label(shape.label, many ? "" : shape.text);
  layer.bindTooltip(names, { permanent: !many, direction: "center", className: "xy-map-label", interactive: false });
  if (many) layer.getTooltip().setContent(label(shape.label, shape.text));
  if (shape.url) layer.on("click", () => window.location.assign(shape.url));
  layer.on("mouseover", () => light(first, shape.id, true));
  layer.on("mouseout", () => light(first, shape.id, false));
  const line = row(shape.id);
  line?.addEventListener("mouseenter", () => light(first, shape.id, true));
  line?.addEventListener("mouseleave", () => light(first, shape.id, false));
  line?.addEventListener("focusin", () => light(first, shape.id, true));
  line?.addEventListener("focusout", () => light(first, shape.id, false));
  return layer;
}

function drawMisfit(map, misfit) {
  const layer = L.geoJSON(misfit.geometry, { className: `xy-map-misfit xy-map-${misfit.kind}` }).addTo(map);
  const icon = L.divIcon({ className: "xy-map-number", html: String(misfit.number), iconSize: [24, 24] });
  L.marker(layer.getBounds().getCenter(), { icon, alt: misfit.label, keyboard: false }).bindTooltip(label(misfit.label)).addTo(map);
  document.querySelector(`[data-map-misfit="${misfit.number}"]`)?.addEventListener("click", () => {
    map.fitBounds(layer.getBounds().pad(1.5));
    map.getContainer().scrollIntoView({ block: "nearest" });
  });
}

// Names hide each other when zoomed out: those that would lie on another name wait until there is room.
function unclutter(map) {
  const taken = [];
  for (const element of map.getPane("tooltipPane").querySelectorAll(".xy-map-label")) {
    element.hidden = false;
    element.style.visibility = "";
    const box = element.getBoundingClientRect();
    const hit = taken.some((b) => box.left < b.right && b.left < box.right && box.top < b.bottom && b.top < box.bottom);
    if (hit) element.style.visibility = "hidden";
    else taken.push(box);
  }
}

function setUp(box) {
  if (box.dataset.drawn) return;
  box.dataset.drawn = "yes";
  const data = JSON.parse(document.getElementById(box.dataset.map).textContent);
  box.hidden = false;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(box, { zoomControl: false, attributionControl: Boolean(data.attribution), zoomAnimation: !still, fadeAnimation: !still, boxZoom: false, zoomSnap: 0.25, maxZoom: 19 });
  L.control.zoom({ zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (data.attribution) map.attributionControl.setPrefix(false);
  // One finger scrolls the page past the map; two move the map.
  if (L.Browser.mobile) map.dragging.disable();
  if (L.Browser.mobile) box.style.touchAction = "pan-x pan-y";
  map.scrollWheelZoom.disable();
  map.on("focus", () => map.scrollWheelZoom.enable());
  map.on("blur", () => map.scrollWheelZoom.disable());
  const all = L.featureGroup();
  const many = data.shapes.length > 80;
  map.setView([33, 108], 5);
  for (const shape of data.shapes) all.addLayer(drawShape(map, shape, many));
  if (data.points.length) all.addLayer(setUpPoints(map, box, data.points));
  if (all.getLayers().length) map.fitBounds(all.getBounds(), { padding: [16, 16], animate: false, maxZoom: 18 });
  for (const misfit of data.misfits) drawMisfit(map, misfit);
  if (data.tiles) L.tileLayer(data.tiles, { attribution: data.attribution, maxZoom: 19 }).addTo(map);
  unclutter(map);
  map.on("zoomend moveend", () => unclutter(map));
}

document.querySelectorAll("[data-map]").forEach(setUp);
