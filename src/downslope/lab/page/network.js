// The network, alive: units with what they respond to, connections with sign and size.
import { html } from "./html.js";
import { Bars, Line, Map2D, Picture } from "./map.js";
import { ACTIVATIONS, dense, layersOf, withActivation, withLayer, withUnits, withoutLayer } from "./notation.js";
import { shown } from "./numbers.js";
import { ask } from "./socket.js";
import { arrays, coloured, isTraining, looked, samples, scene, selected, setup } from "./store.js";
import { Colouring, Unit } from "./unit.js";
import { connectionsOf, labelOf, lightOf, signalsOf, stage, Walker } from "./walk.js";

const MOST = 10; // units that are drawn of a layer
const UNIT = 40; // pixels of a unit's side
const GAP = 12;
const COLUMN = 138;
const TOP = 74;
const NEAR = 9; // pixels from a connection, where a click is meant for it

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

/** What connections into a layer show, (units before, units), or null. @param {Column} column */
function strengths(column) {
  const found = connectionsOf(column.index) ?? arrays.value.get(`${coloured.value}.${column.index}`);
  return found && found.shape.length === 2 && found.shape[1] === column.units ? found.values : null;
}

/** The two ends of a connection. @param {Column[]} columns @param {number} before @param {number} at @param {number} from @param {number} to @param {number} tallest */
function ends(columns, before, at, from, to, tallest) {
  const [one, other] = [middle(columns[before], before, from, tallest), middle(columns[at], at, to, tallest)];
  return [one.x + UNIT / 2, one.y, other.x - UNIT / 2, other.y];
}

/** The layers whose connections are drawn, by their columns; what has no weights, as dropout, is passed.
 * @param {Column[]} columns */
function joinedColumns(columns) {
  const isImage = Boolean(scene.value?.image);
  return columns.flatMap((column, at) => {
    let before = at - 1;
    while (before > 0 && !columns[before].drawn && columns[before].units === columns[before - 1].units) before -= 1;
    return at && column.drawn && columns[before].drawn && !(before === 0 && isImage) ? [{ before, at }] : [];
  });
}

/** How far a connection's line is from a point. @param {number[]} line @param {number} x @param {number} y */
export function distance([x1, y1, x2, y2], x, y) {
  let least = Infinity;
  for (let part = 0; part <= 1; part += 1 / 24) {
    const [a, b, c, d] = [(1 - part) ** 3, 3 * part * (1 - part) ** 2, 3 * part ** 2 * (1 - part), part ** 3];
    const middle = (x1 + x2) / 2;
    least = Math.min(least, Math.hypot(a * x1 + (b + c) * middle + d * x2 - x, (a + b) * y1 + (c + d) * y2 - y));
  }
  return least;
}

/** Choose the connection that was clicked. @param {any} event @param {Column[]} columns @param {number} tallest */
function choose(event, columns, tallest) {
  if (event.target.closest("button, select")) return;
  const box = event.currentTarget.getBoundingClientRect();
  let [least, best] = [NEAR, /** @type {typeof selected.value} */ (null)];
  for (const { before, at } of joinedColumns(columns)) {
    if (!strengths(columns[at])) continue;
    for (let from = 0; from < columns[before].drawn; from++) {
      for (let to = 0; to < columns[at].drawn; to++) {
        const far = distance(ends(columns, before, at, from, to, tallest), event.clientX - box.left, event.clientY - box.top);
        if (far < least) [least, best] = [far, { layer: columns[at].index, unit: to, weight: String(from) }];
      }
    }
  }
  if (best) selected.value = best;
}

/** @param {{columns: Column[], tallest: number}} own */
function Connections({ columns, tallest }) {
  const now = scene.value;
  if (!now) return null;
  const lines = [];
  const own = selected.value;
  for (const { before, at } of joinedColumns(columns)) {
    const column = columns[at];
    const values = strengths(column);
    if (!values) continue;
    let largest = 1e-12;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    const light = lightOf(column.index);
    for (let from = 0; from < columns[before].drawn; from++) {
      for (let to = 0; to < column.drawn; to++) {
        const value = values[from * column.units + to];
        const [x1, y1, x2, y2] = ends(columns, before, at, from, to, tallest);
        const bend = (x1 + x2) / 2;
        const part = Math.abs(value) / largest;
        const isOwn = own?.layer === column.index && own.unit === to && own.weight === String(from);
        const far = stage.value && !light ? 0.4 : 1;
        lines.push(html`<path key=${`${at}.${from}.${to}`} class=${`${value > 0 ? "high" : "low"}${light}${isOwn ? " chosen" : ""}`}
          d=${`M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`}
          style=${{ strokeWidth: (isOwn ? 2 : 0.4) + 4 * part, opacity: isOwn ? 1 : far * (0.12 + 0.75 * part) }} />`);
      }
    }
  }
  return lines;
}

/** What an input is drawn as: its name, or of images the one that is followed. @param {{unit: number}} own */
function Input({ unit }) {
  const now = scene.value;
  const image = looked.value?.arrays.get("image");
  if (!now?.image || !image) return html`<span class="input-name">${now?.image ? "image" : now?.inputs[unit] ?? unit}</span>`;
  return html`<${Picture} given=${image} text=${`training sample ${looked.value?.header.sample}`} />`;
}

/** What a unit is drawn as. @param {{column: Column, unit: number}} own */
function Face({ column, unit }) {
  const now = scene.value;
  if (!now) return null;
  const name = `${column.title}, unit ${unit}`;
  if (column.index < 0) return html`<${Input} unit=${unit} />`;
  const map = signalsOf(column.index) ?? looked.value?.arrays.get(`signals.${column.index}`);
  if (map?.shape.length === 3) {
    const [, high, wide] = map.shape;
    return html`<${Map2D} values=${map.values.subarray(unit * high * wide, (unit + 1) * high * wide)} width=${wide} height=${high} text=${`${name}: its map`} />`;
  }
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

export function NetworkView() {
  const now = scene.value;
  if (!now) return null;
  const columns = columnsOf(now);
  const tallest = Math.max(...columns.map(one => one.drawn)) * (UNIT + GAP) - GAP;
  const wide = columns.length * COLUMN;
  const high = TOP + tallest + 30;
  return html`<section class="network" aria-label="network">
    <h2>Network <button disabled=${isTraining.value} onClick=${() => ask({ do: "setup", ...setup.value, network: withLayer(now.network, now.layers.length - 1) })}>+ layer</button></h2>
    <${Walker} />
    <div class="scroll"><div class="stage" style=${{ width: `${wide}px`, height: `${high}px` }} onClick=${(/** @type {any} */ event) => choose(event, columns, tallest)}>
      <svg class="lines" width=${wide} height=${high} aria-hidden="true"><${Connections} columns=${columns} tallest=${tallest} /></svg>
      ${columns.map((column, at) => html`<div class="column" key=${at} style=${{ left: `${at * COLUMN}px`, width: `${COLUMN}px` }}>
        <div class="head"><b>${column.title}</b><small>${column.index < 0 ? now.input_shape.join(" × ") : column.text}</small><${Builder} column=${column} /></div>
        ${Array.from({ length: column.drawn }, (_, unit) => {
          const { y } = middle(column, at, unit, tallest);
          const isOwn = selected.value?.layer === column.index && selected.value?.unit === unit;
          return html`<button key=${unit} class=${`node${isOwn ? " chosen" : ""}`} style=${{ top: `${y - UNIT / 2}px`, left: `${(COLUMN - UNIT) / 2}px` }}
            onClick=${() => { selected.value = column.index < 0 ? null : { layer: column.index, unit, weight: null }; }}
            aria-label=${column.index < 0 ? `input ${now.inputs[unit] ?? unit}` : `${column.title}, unit ${unit}`}><${Face} column=${column} unit=${unit} /></button>
            ${stage.value ? html`<span class="value" data-shown=${`${column.index}.${unit}`} style=${{ top: `${y + UNIT / 2}px` }}>${labelOf(column.index, unit)}</span>` : null}`;
        })}
        ${column.units > column.drawn && column.drawn && !(column.index < 0 && now.image) ? html`<small class="more" style=${{ top: `${TOP + tallest + 6}px` }}>and ${column.units - column.drawn} more</small>` : null}
      </div>`)}
    </div></div>
    <${Colouring} /><${Unit} />
  </section>`;
}
