// All that moves on the page as text, for who reads with a screen reader.
import { html } from "./html.js";
import { grouped, shown } from "./numbers.js";
import { arrays, curves, frame, lastMetric, looked, scene } from "./store.js";
import { signal } from "./vendor/signals.js";

const MOST = 12; // units and inputs of a table of weights
const isOpen = signal(false);

/** The lowest and the highest of some numbers. @param {Float32Array | undefined} values */
export function range(values) {
  if (!values?.length) return "";
  let [low, high] = [Infinity, -Infinity];
  for (const one of values) [low, high] = [Math.min(low, one), Math.max(high, one)];
  return `${shown(low)} to ${shown(high)}`;
}

/** Numbers of a layer, inputs in rows and units in columns. @param {{name: string, kind: string, layer: number}} own */
function Numbers({ name, kind, layer }) {
  const found = arrays.value.get(`${kind}.${layer}`);
  if (!found || found.shape.length !== 2) return null;
  const [rows, columns] = found.shape;
  const [down, across] = [Math.min(MOST, rows), Math.min(MOST, columns)];
  const biases = kind === "weights" ? arrays.value.get(`biases.${layer}`) : undefined;
  const units = Array.from({ length: across }, (_, unit) => unit);
  return html`<div class="scroll"><table><caption>${name}: ${kind}${rows > down || columns > across ? `, the first ${down} inputs of the first ${across} units of ${grouped(columns)}` : ""}</caption>
    <thead><tr><th scope="col">from</th>${units.map(unit => html`<th key=${unit} scope="col">unit ${unit}</th>`)}</tr></thead>
    <tbody>${Array.from({ length: down }, (_, row) => html`<tr key=${row}><th scope="row">${layer ? row : scene.value?.inputs[row] ?? row}</th>
      ${units.map(unit => html`<td key=${unit} data-cell=${`${kind}.${layer}.${row}.${unit}`}>${shown(found.values[row * columns + unit])}</td>`)}</tr>`)}
    ${biases ? html`<tr><th scope="row">bias</th>${units.map(unit => html`<td key=${unit} data-cell=${`biases.${layer}.${unit}`}>${shown(biases.values[unit])}</td>`)}</tr>` : null}</tbody></table></div>`;
}

/** What one sample is in each layer. */
function Signals() {
  const own = looked.value;
  if (!own) return null;
  return html`<table><caption>Activations of training sample ${own.header.sample} after step ${grouped(own.header.at)}</caption>
    <tbody>${scene.value?.layers.map((layer, index) => {
      const found = own.arrays.get(`signals.${index}`);
      return found && html`<tr key=${index}><th scope="row">${layer.name}</th><td>${found.shape.length > 1 ? `${found.shape[0]} maps, ${range(found.values)}`
        : Array.from(found.values.subarray(0, MOST), (one, unit) => html`<span key=${unit} data-cell=${`signals.${index}.${unit}`}>${shown(one)}</span> `)}</td></tr>`;
    })}</tbody></table>`;
}

function Tables() {
  const [now, at] = [scene.value, frame.value];
  if (!now || !at) return null;
  const { losses } = curves.value;
  return html`<table><caption>After step ${grouped(at.at)} of ${grouped(now.steps)}</caption><tbody>
      <tr><th scope="row">loss of the last batch</th><td data-cell="batch">${shown(losses[at.at - 1])}</td></tr>
      ${now.metrics.map(name => html`<tr key=${name}><th scope="row">${name.replaceAll("_", " ")}, last measured</th><td data-cell=${name}>${shown(lastMetric(name))}</td></tr>`)}</tbody></table>
    <table><caption>Layers</caption><thead><tr><th scope="col">layer</th><th scope="col">output</th><th scope="col">activation</th><th scope="col">numbers</th><th scope="col">weights</th><th scope="col">gradients</th></tr></thead>
      <tbody>${now.layers.map((layer, index) => html`<tr key=${index}><th scope="row">${layer.name}</th><td>${layer.shape.join(" × ")}</td><td>${layer.activation}</td><td>${grouped(layer.numbers)}</td>
        <td>${range(arrays.value.get(`weights.${index}`)?.values)}</td><td>${range(arrays.value.get(`gradients.${index}`)?.values)}</td></tr>`)}</tbody></table>
    ${now.layers.map((layer, index) => ["weights", "gradients"].map(kind => html`<${Numbers} key=${`${kind}${index}`} name=${layer.name} kind=${kind} layer=${index} />`))}
    <${Signals} />`;
}

export function AsText() {
  return html`<section class="text" aria-label="as text"><details onToggle=${(/** @type {any} */ event) => { isOpen.value = event.target.open; }}>
    <summary>Everything as text: losses, layers, weights, activations</summary>${isOpen.value ? html`<${Tables} />` : null}</details></section>`;
}
