// The losses and metrics over the training.
import { html } from "./html.js";
import { CLASSES } from "./colours.js";
import { curves, frame, other, scene } from "./store.js";
import { useEffect, useRef } from "./vendor/hooks.js";

const MOST = 2000; // points of the batch loss; of more, some are left out
const HIGH = 210;

/** Every so many values, so that there are at most `MOST`. @param {number} count */
export const strideOf = count => Math.max(1, Math.ceil(count / MOST));

/** The columns of the loss picture: steps, batch loss, and the measured losses.
 * @param {{losses: Float32Array, rows: Float32Array, width: number}} now @param {number[]} measured */
export function lossColumns(now, measured) {
  const stride = strideOf(now.losses.length);
  const at = new Map();
  for (let index = 0; index < now.losses.length; index += stride) at.set(index + 1, [now.losses[index]]);
  const count = now.width ? now.rows.length / now.width : 0;
  for (let row = 0; row < count; row++) {
    const step = now.rows[row * now.width];
    const own = at.get(step) ?? [null];
    at.set(step, [own[0], ...measured.map(column => now.rows[row * now.width + column])]);
  }
  const steps = [...at.keys()].sort((one, other) => one - other);
  return [steps, ...[0, ...measured.map((_, index) => index + 1)].map(index => steps.map(step => at.get(step)[index] ?? null))];
}

/** The columns with one more: a column of another run's measured rows, by step.
 * @param {(number | null)[][]} columns @param {{rows: Float32Array, width: number}} one @param {number} column */
export function withOther(columns, one, column) {
  const own = new Map();
  for (let at = 0; at < one.rows.length; at += one.width) own.set(one.rows[at], one.rows[at + column]);
  const steps = [...new Set([.../** @type {number[]} */ (columns[0]), ...own.keys()])].sort((a, b) => a - b);
  const place = new Map(columns[0].map((step, index) => [step, index]));
  const spread = columns.slice(1).map(values => steps.map(step => {
    const index = place.get(step);
    return index === undefined ? null : values[index];
  }));
  return [steps, ...spread, steps.map(step => own.get(step) ?? null)];
}

/** Of the lines of a logarithmic axis only the decades, if there are several. @param {any} _ @param {number[]} splits */
function fewLines(_, splits) {
  const isWide = splits[splits.length - 1] / splits[0] > 100;
  return splits.map(one => (!isWide || Math.abs(Math.log10(one) - Math.round(Math.log10(one))) < 1e-6 ? one : null));
}

/** @param {{title: string, names: string[], columns: (number | null)[][], isLog?: boolean}} own */
export function Curve({ title, names, columns, isLog = false }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const key = names.join();
  useEffect(() => {
    if (!box.current) return undefined;
    const ink = getComputedStyle(box.current).color;
    const axis = { stroke: ink, grid: { stroke: "#8883" }, ticks: { stroke: "#8886" } };
    const high = isLog ? { ...axis, grid: { ...axis.grid, filter: fewLines }, ticks: { ...axis.ticks, filter: fewLines } } : axis;
    const options = {
      width: box.current.clientWidth, height: HIGH, cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
      axes: [{ ...axis, label: "step", labelSize: 16, labelGap: 0 }, { ...high, size: 60, values: (/** @type {any} */ _, /** @type {(number | null)[]} */ all) => all.map(one => (one === null ? "" : one && (Math.abs(one) < 1e-3 || Math.abs(one) >= 1e6) ? Number(one.toPrecision(2)).toExponential() : String(Number(one.toPrecision(3))))) }],
      series: [{ label: "step" }, ...names.map((label, index) => ({
        label, spanGaps: true, stroke: label === "batch" ? "#8888" : CLASSES[label.startsWith("train") ? 0 : label.startsWith("validation of") ? 3 : label === "validation" ? 1 : index % CLASSES.length],
        width: label === "batch" ? 1 : 2, points: { show: (/** @type {any} */ plot, /** @type {number} */ series) => label !== "batch" && plot.data[series].filter((/** @type {any} */ one) => one !== null).length < 3 }, dash: index === 2 && names[0] === "batch" ? [6, 3] : undefined,
      }))],
    };
    plot.current = new (/** @type {any} */ (globalThis)).uPlot(options, columns, box.current);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: box.current?.clientWidth ?? 300, height: HIGH }));
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [key, scene.value?.folder, isLog]);
  useEffect(() => plot.current?.setData(columns));
  return html`<figure class="curve"><figcaption>${title}</figcaption><div ref=${box}></div></figure>`;
}

export function Curves() {
  const now = scene.value;
  if (!now || !frame.value) return null;
  const column = (/** @type {string} */ name) => now.metrics.indexOf(name) + 1;
  const own = lossColumns(curves.value, ["train_loss", "validation_loss"].map(column));
  const loss = other.value ? withOther(own, other.value, column("validation_loss")) : own;
  const names = ["batch", "training", "validation", ...(other.value ? [`validation of ${other.value.name}`] : [])];
  const isPositive = loss.slice(1).every(one => one.every(value => value === null || value > 0));
  const metric = now.metrics.filter(one => !one.endsWith("_loss")).slice(0, 2);
  const { rows, width } = curves.value;
  const count = width ? rows.length / width : 0;
  const take = (/** @type {number} */ at) => Array.from({ length: count }, (_, row) => rows[row * width + at]);
  return html`<section class="curves" aria-label="curves">
    <${Curve} title=${`Loss (${now.loss.replaceAll("_", " ")})`} names=${names} columns=${loss} isLog=${isPositive && curves.value.losses.length > 1} />
    ${metric.length ? html`<${Curve} title=${metric[1].replace("validation_", "")} names=${["training", "validation"]} columns=${[take(0), ...metric.map(name => take(column(name)))]} />` : null}
  </section>`;
}
