// Draws charts over their tables; each keeps its table view and can be taken along as a picture or CSV.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

// Apart in lightness as well as in hue; the legend, the dash and the table say it again.
const COLOURS = ["#1f6f4a", "#a86a12", "#4a6d8c", "#b3321f", "#7a6a93", "#5d6b66"];
const DASHES = ["solid", "dashed", "dotted"];
const INK = "#22302a";
const QUIET = "#59655f";

const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function options(data) {
  const names = {
    type: "category",
    data: data.categories,
    inverse: data.horizontal,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: "#cfccc0" } },
    axisLabel: { color: INK, hideOverlap: true },
  };
  const numbers = {
    type: "value",
    minInterval: 1,
    axisLabel: { color: QUIET, formatter: (value) => value.toLocaleString("en") },
    splitLine: { lineStyle: { color: "#eceae2" } },
  };
  const many = data.series.length > 1;
  return {
    animation: !still,
    color: COLOURS,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 24, top: many ? 40 : 12, bottom: 8, containLabel: true },
    legend: many ? { top: 0, left: 0, textStyle: { color: INK } } : undefined,
    // Rich text is painted on the canvas: the page's policy forbids inline styles in HTML.
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      axisPointer: { type: data.kind === "bar" ? "shadow" : "line" },
      valueFormatter: (value) => (value == null ? "—" : `${value.toLocaleString("en")} ${data.unit}`.trim()),
    },
    xAxis: data.horizontal ? numbers : names,
    yAxis: data.horizontal ? names : numbers,
    series: data.series.map((series, index) => ({
      type: data.kind,
      name: series.name,
      data: series.values,
      stack: data.stacked ? "all" : undefined,
      barMaxWidth: 28,
      cursor: data.urls.length ? "pointer" : "default",
      lineStyle: { width: 2, type: DASHES[index % DASHES.length] },
      label:
        data.kind === "bar" && !many && data.categories.length <= 24
          ? { show: true, position: data.horizontal ? "right" : "top", color: INK, formatter: ({ value }) => (value ?? 0).toLocaleString("en") }
          : undefined,
    })),
  };
}

function save(name, blobOrUrl) {
  const link = document.createElement("a");
  link.download = name;
  link.href = typeof blobOrUrl === "string" ? blobOrUrl : URL.createObjectURL(blobOrUrl);
  link.click();
  if (typeof blobOrUrl !== "string") setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const cell = (text) => {
  const plain = String(text).trim();
  // A leading sign would be run as a formula by spreadsheet programs.
  const safe = /^[=+@\t\r]|^-(?!\d)/.test(plain) ? `'${plain}` : plain;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

function csv(table) {
  const lines = [...table.rows].map((row) => [...row.cells].map((c) => cell(c.textContent.replace(/(\d),(?=\d{3})/g, "$1"))).join(","));
  // The mark at the start makes Excel read it as UTF-8.
  return new Blob(["\ufeff", lines.join("\r\n")], { type: "text/csv;charset=utf-8" });
}

function setUp(card) {
  const source = card.querySelector("[data-chart-data]");
  if (!source || card.dataset.drawn) return;
  card.dataset.drawn = "yes";
  const data = JSON.parse(source.textContent);
  const canvas = card.querySelector(".xy-chart-canvas");
  const table = card.querySelector(".xy-chart-table");
  const toggle = card.querySelector("[data-chart-toggle]");
  canvas.hidden = false;
  table.hidden = true;
  card.querySelector(".xy-chart-tools").hidden = false;
  // Long rankings need room for each name.
  if (data.horizontal) canvas.style.height = `${Math.max(220, data.categories.length * 30 + 60)}px`;
  const chart = init(canvas, null, { renderer: "canvas" });
  chart.setOption(options(data));
  new ResizeObserver(() => !canvas.hidden && chart.resize()).observe(canvas);
  if (data.urls.length) chart.on("click", ({ dataIndex }) => window.location.assign(data.urls[dataIndex]));
  toggle.addEventListener("click", () => {
    const showTable = table.hidden;
    table.hidden = !showTable;
    canvas.hidden = showTable;
    toggle.setAttribute("aria-pressed", String(showTable));
    if (!showTable) chart.resize();
  });
  card.querySelector("[data-chart-png]").addEventListener("click", () => save(`${data.title}.png`, chart.getDataURL({ pixelRatio: 2, backgroundColor: "#fff" })));
  card.querySelector("[data-chart-csv]").addEventListener("click", () => save(`${data.title}.csv`, csv(table.querySelector("table"))));
}

document.querySelectorAll("[data-chart]").forEach(setUp);
document.addEventListener("htmx:load", (event) => event.target.parentElement?.querySelectorAll("[data-chart]").forEach(setUp));
