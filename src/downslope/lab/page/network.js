// The network, alive: units with what they respond to, connections with sign and size.
import { html } from "./html.js";
import { Bars, Line, Map2D } from "./map.js";
import { ACTIVATIONS, dense, layersOf, withActivation, withLayer, withUnits, withoutLayer } from "./notation.js";
import { shown } from "./numbers.js";
import { ask } from "./socket.js";
import { arrays, isTraining, samples, scene, selected, setup } from "./store.js";

const MOST = 10; // units that are drawn of a layer
const UNIT = 40; // pixels of a unit's side
const GAP = 12;
const COLUMN = 128;
const TOP = 74;

/** @typedef {{title: string, index: number, units: number, drawn: number, text: string}} Column */

/** The inputs and the layers that are drawn as columns of units. @param {import("./messages").Scene} now */
export function columnsOf(now) {
  const inputs = now.input_shape.reduce((all, one) => all * one, 1);
  /** @type {Column[]} */
  const columns = [{ title: "inputs", index: -1, units: inputs, drawn: now.image ? 1 : Math.min(inputs, MOST), text: "" }];
  now.layers.forEach((layer, index) => {
    const units = layer.shape[layer.shape.length - 1] ?? 1;
    const isShown = layer.numbers > 0;
    columns.push({ title: layer.name, index, units, drawn: isShown ? Math.min(units, MOST) : 0, text: layer.text });
  });
  return columns;
}

/** Where a unit's middle is. @param {Column} column @param {number} at @param {number} unit @param {number} tallest */
function middle(column, at, unit, tallest) {
  const tall = column.drawn * (UNIT + GAP) - GAP;
  return { x: at * COLUMN + COLUMN / 2, y: TOP + (tallest - tall) / 2 + unit * (UNIT + GAP) + UNIT / 2 };
}

/** The weight between a unit and one of the layer before it, or null.
 * @param {Column} column @param {number} from @param {number} to */
function weight(column, from, to) {
  const found = arrays.value.get(`weights.${column.index}`);
  if (!found || found.shape.length !== 2 || found.shape[1] !== column.units) return null;
  return found.values[from * column.units + to];
}

/** @param {{columns: Column[], tallest: number}} own */
function Connections({ columns, tallest }) {
  const now = scene.value;
  if (!now) return null;
  const lines = [];
  for (let at = 1; at < columns.length; at++) {
    const [before, column] = [columns[at - 1], columns[at]];
    if (!column.drawn || !before.drawn || (before.index < 0 && now.image)) continue;
    let largest = 1e-12;
    for (const value of arrays.value.get(`weights.${column.index}`)?.values ?? []) largest = Math.max(largest, Math.abs(value));
    for (let from = 0; from < before.drawn; from++) {
      for (let to = 0; to < column.drawn; to++) {
        const value = weight(column, from, to);
        if (value === null) continue;
        const [one, other] = [middle(before, at - 1, from, tallest), middle(column, at, to, tallest)];
        const bend = (other.x - one.x) / 2;
        const part = Math.abs(value) / largest;
        lines.push(html`<path key=${`${at}.${from}.${to}`} class=${value > 0 ? "high" : "low"}
          d=${`M${one.x + UNIT / 2} ${one.y}C${one.x + bend} ${one.y} ${other.x - bend} ${other.y} ${other.x - UNIT / 2} ${other.y}`}
          style=${{ strokeWidth: 0.4 + 4 * part, opacity: 0.12 + 0.75 * part }} />`);
      }
    }
  }
  return lines;
}

/** What a unit is drawn as. @param {{column: Column, unit: number}} own */
function Face({ column, unit }) {
  const now = scene.value;
  if (!now) return null;
  const name = `${column.title}, unit ${unit}`;
  if (column.index < 0) return html`<span class="input-name">${now.image ? "image" : now.inputs[unit] ?? unit}</span>`;
  const isLast = column.index === now.layers.length - 1;
  const response = arrays.value.get(isLast ? "predicted" : `responses.${column.index}`);
  if (response && now.plane) {
    const side = now.plane.side;
    const own = response.values.subarray(unit * side * side, (unit + 1) * side * side);
    const isProbability = isLast && now.task === "classification";
    return html`<${Map2D} values=${isProbability ? Array.from(own, one => 2 * one - 1) : own} most=${isProbability ? 1 : undefined}
      width=${side} height=${side} text=${`${name}: its response over the plane`} />`;
  }
  if (response && samples.value.get("line")) {
    const long = response.shape[1];
    return html`<${Line} values=${response.values.subarray(unit * long, (unit + 1) * long)} text=${`${name}: its response along the input`} />`;
  }
  const weights = arrays.value.get(`weights.${column.index}`);
  if (!weights) return html`<span class="input-name">${unit}</span>`;
  if (weights.shape.length === 4) {
    const [down, across, from, to] = weights.shape;
    const own = Array.from({ length: down * across }, (_, at) => weights.values[at * from * to + unit]);
    return html`<${Map2D} values=${own} width=${across} height=${down} text=${`${name}: its filter`} />`;
  }
  if (weights.shape.length !== 2 || weights.shape[1] !== column.units) return html`<span class="input-name">${unit}</span>`;
  const own = Array.from({ length: weights.shape[0] }, (_, at) => weights.values[at * column.units + unit]);
  if (now.image && column.index === firstWithWeights(now) && own.length === now.image[0] * now.image[1] * now.image[2] && now.image[2] === 1) {
    return html`<${Map2D} values=${own} width=${now.image[1]} height=${now.image[0]} text=${`${name}: its weights as an image`} />`;
  }
  return html`<${Bars} values=${own.slice(0, 64)} text=${`${name}: its weights`} />`;
}

/** @param {import("./messages").Scene} now */
const firstWithWeights = now => now.layers.findIndex(layer => layer.numbers > 0);

/** Add and remove units and layers. @param {{column: Column}} own */
function Builder({ column }) {
  const now = scene.value;
  if (!now || column.index < 0) return null;
  const layers = layersOf(now.network);
  const own = layers.length === now.layers.length ? dense(layers[column.index]) : null;
  const isLast = column.index === now.layers.length - 1;
  /** @param {string} network */
  const build = network => ask({ do: "setup", ...setup.value, network });
  if (!own || isLast) return html`<div class="builder"></div>`;
  return html`<div class="builder">
    <button onClick=${() => build(withUnits(now.network, column.index, -1))} disabled=${own.units < 2 || isTraining.value} aria-label=${`one unit less in ${column.title}`}>−</button>
    <button onClick=${() => build(withUnits(now.network, column.index, 1))} disabled=${isTraining.value} aria-label=${`one unit more in ${column.title}`}>+</button>
    <select value=${own.activation} disabled=${isTraining.value} aria-label=${`activation of ${column.title}`}
      onChange=${(/** @type {any} */ event) => build(withActivation(now.network, column.index, event.target.value))}>
      ${[...new Set([...ACTIVATIONS, own.activation])].map(name => html`<option key=${name}>${name}</option>`)}
    </select>
    <button onClick=${() => build(withoutLayer(now.network, column.index))} disabled=${isTraining.value} aria-label=${`remove ${column.title}`}>×</button>
  </div>`;
}

/** The numbers of the unit that was clicked. */
function Unit() {
  const now = scene.value;
  const at = selected.value;
  if (!now || !at) return html`<p class="hint">Click a unit for its weights and bias.</p>`;
  const layer = now.layers[at.layer];
  const weights = arrays.value.get(`weights.${at.layer}`);
  const biases = arrays.value.get(`biases.${at.layer}`);
  if (!layer || !weights || weights.shape.length !== 2) return html`<p class="hint">This unit's weights are too many to list.</p>`;
  const [from, to] = weights.shape;
  const own = Array.from({ length: from }, (_, index) => weights.values[index * to + at.unit]);
  const before = at.layer === 0 ? now.inputs : [];
  return html`<div class="unit" aria-live="off">
    <h3>${layer.name}, unit ${at.unit} <button onClick=${() => { selected.value = null; }} aria-label="close">×</button></h3>
    <p>${layer.activation || "identity"}( ${own.slice(0, 12).map((value, index) => html`<span key=${index}><span class="term"><b data-weight=${`${at.layer}.${index}.${at.unit}`}>${shown(value)}</b> · ${before[index] ?? `a${index}`}</span>${" + "}</span>`)}
      ${own.length > 12 ? `${own.length - 12} more + ` : ""}<b data-bias=${`${at.layer}.${at.unit}`}>${shown(biases?.values[at.unit])}</b> )</p>
  </div>`;
}

export function NetworkView() {
  const now = scene.value;
  if (!now) return null;
  const columns = columnsOf(now);
  const tallest = Math.max(...columns.map(one => one.drawn)) * (UNIT + GAP) - GAP;
  const wide = columns.length * COLUMN;
  const high = TOP + tallest + 30;
  return html`<section class="network" aria-label="network">
    <h2>Network <button disabled=${isTraining.value} onClick=${() => ask({ do: "setup", ...setup.value, network: withLayer(now.network, now.layers.length - 1) })}>+ layer</button></h2>
    <div class="scroll"><div class="stage" style=${{ width: `${wide}px`, height: `${high}px` }}>
      <svg class="lines" width=${wide} height=${high} aria-hidden="true"><${Connections} columns=${columns} tallest=${tallest} /></svg>
      ${columns.map((column, at) => html`<div class="column" key=${at} style=${{ left: `${at * COLUMN}px`, width: `${COLUMN}px` }}>
        <div class="head"><b>${column.title}</b><small>${column.index < 0 ? now.input_shape.join(" × ") : column.text}</small><${Builder} column=${column} /></div>
        ${Array.from({ length: column.drawn }, (_, unit) => {
          const { y } = middle(column, at, unit, tallest);
          const isOwn = selected.value?.layer === column.index && selected.value?.unit === unit;
          return html`<button key=${unit} class=${`node${isOwn ? " chosen" : ""}`} style=${{ top: `${y - UNIT / 2}px`, left: `${(COLUMN - UNIT) / 2}px` }}
            onClick=${() => { selected.value = column.index < 0 ? null : { layer: column.index, unit }; }}
            aria-label=${column.index < 0 ? `input ${now.inputs[unit] ?? unit}` : `${column.title}, unit ${unit}`}><${Face} column=${column} unit=${unit} /></button>`;
        })}
        ${column.units > column.drawn && column.drawn && !(column.index < 0 && now.image) ? html`<small class="more" style=${{ top: `${TOP + tallest + 6}px` }}>and ${column.units - column.drawn} more</small>` : null}
      </div>`)}
    </div></div>
    <${Unit} />
  </section>`;
}
