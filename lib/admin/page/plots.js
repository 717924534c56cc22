/**
 * The plots, drawn by uPlot.
 *
 * @module
 */

import { make, setAttribute, setText } from "./elements.js";
import { formatBytes, formatRate } from "./format.js";

const HEIGHT = 170;

/** @param {number} value */
const perMinute = (value) => `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)}/min`;
/** @param {number} value */
const whole = (value) => String(Math.round(value));

/** What is plotted. */
export const PLOTS = [
  {
    title: "Throughput",
    least: 1000,
    format: formatRate,
    axis: formatBytes,
    series: [{ key: "received", label: "received", color: "--first" }, {
      key: "sent",
      label: "sent",
      color: "--second",
      dash: [6, 4],
    }],
  },
  {
    title: "Sessions",
    least: 4,
    format: whole,
    axis: whole,
    series: [{ key: "sessions", label: "sessions", color: "--first" }],
  },
  {
    title: "Logins and failures",
    least: 4,
    format: perMinute,
    axis: (/** @type {number} */ value) => String(value),
    series: [
      { key: "logins", label: "logins", color: "--first" },
      { key: "loginsFailed", label: "failed logins", color: "--third", dash: [6, 4] },
      { key: "incomplete", label: "cut transfers", color: "--second", dash: [2, 3] },
    ],
  },
];

/** One plot, with its numbers beside its lines. */
export class Plot {
  element;
  #plot;
  #about;
  #box;
  /** @type {HTMLElement[]} */
  #values;
  /** @type {any} */
  #chart;
  /** @type {number[][]} */
  #data = [[]];
  #range = [0, 1];
  #observer;

  /** @param {any} plot One of {@link PLOTS}. */
  constructor(plot) {
    this.#plot = plot;
    this.#values = plot.series.map(() => make("b"));
    this.#about = make("p", { class: "unseen" });
    this.#box = make("div", { class: "chart", "aria-hidden": "true" });
    const legend = make(
      "ul",
      { class: "legend" },
      ...plot.series.map((/** @type {any} */ { label, color }, /** @type {number} */ index) =>
        make("li", { class: color.slice(2) }, make("i", { "aria-hidden": "true" }), `${label} `, this.#values[index])
      ),
    );
    this.element = make(
      "figure",
      { class: "card" },
      make("figcaption", {}, make("h3", {}, plot.title), legend, this.#about),
      this.#box,
    );
    this.#observer = new ResizeObserver(() => this.#chart?.setSize(this.#size()));
  }

  /** Draws it anew, in the colors that hold now. */
  redraw() {
    this.#chart?.destroy();
    this.#chart = new /** @type {any} */ (globalThis).uPlot(this.#options(), this.#data, this.#box);
    this.#observer.observe(this.#box);
  }

  /**
   * @param {readonly any[]} points
   * @param {number} seconds Of the span that is shown.
   * @param {number} now
   */
  show(points, seconds, now) {
    this.#data = [
      points.map(({ time }) => time),
      ...this.#plot.series.map((/** @type {any} */ { key }) => points.map((point) => point[key])),
    ];
    this.#range = [now - seconds, now];
    if (this.#chart === undefined) this.redraw();
    else this.#chart.setData(this.#data);
    this.#showValues(this.#chart.cursor.idx);
    setText(this.#about, this.#describe());
  }

  /** @param {number | null | undefined} index */
  #showValues(index) {
    for (const [number, element] of this.#values.entries()) {
      const values = this.#data[number + 1] ?? [];
      const value = values[index ?? values.length - 1];
      setText(element, value === undefined ? "–" : this.#plot.format(value));
    }
  }

  #describe() {
    if (this.#data[0]?.length === 0) return "Nothing was measured yet.";
    const { series, format } = this.#plot;
    return series.map((/** @type {any} */ { label }, /** @type {number} */ index) => {
      const values = this.#data[index + 1] ?? [];
      return `${label}: at most ${format(values.reduce((most, value) => Math.max(most, value), 0))}`;
    }).join("; ");
  }

  #size() {
    return { width: Math.max(200, Math.floor(this.#box.clientWidth)), height: HEIGHT };
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--muted"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
    };
    return {
      ...this.#size(),
      padding: [10, 8, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => this.#range },
        y: {
          range: (
            /** @type {any} */ _plot,
            /** @type {number} */ _min,
            /** @type {number} */ max,
          ) => [0, Math.max(this.#plot.least, (max ?? 0) * 1.1)],
        },
      },
      axes: [
        { ...axis, space: 60, size: 28, values: "{HH}:{mm}" },
        {
          ...axis,
          size: 54,
          values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) => splits.map(this.#plot.axis),
        },
      ],
      series: [
        {},
        ...this.#plot.series.map((/** @type {any} */ { color: name, dash }) => ({
          stroke: color(name),
          width: 2,
          ...dash && { dash },
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [(/** @type {any} */ chart) => this.#showValues(chart.cursor.idx)] },
    };
  }
}

/**
 * Draws all plots anew when the colors change.
 *
 * @param {readonly Plot[]} plots
 */
export function followColors(plots) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const plot of plots) plot.redraw();
  });
  setAttribute(document.documentElement, "data-plots", String(plots.length));
}
