// What the network has learnt: the plane, who was taken for whom, predicted against true.
import { html } from "./html.js";
import { CLASSES, certain, diverging, paint } from "./colours.js";
import { Density, Picture } from "./map.js";
import { percent, shown } from "./numbers.js";
import { OwnPhoto } from "./photo.js";
import { arrays, curves, frame, lastMetric, samples, scene } from "./store.js";
import { useEffect, useRef } from "./vendor/hooks.js";

const SIZE = 320; // pixels of the picture's side

/** The plane of two inputs with what is predicted there, and the training samples. */
function PlaneView() {
  const surface = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const points = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const now = scene.value;
  const found = arrays.value.get("predicted");
  useEffect(() => {
    const plane = now?.plane;
    if (!plane || !found) return;
    const area = plane.side * plane.side;
    const outputs = found.shape[0];
    if (now.task !== "classification") {
      let largest = 1e-12;
      for (const one of found.values) largest = Math.max(largest, Math.abs(one));
      paint(surface.current, plane.side, plane.side, at => diverging(found.values[at] / largest));
    } else if (outputs === 1) {
      paint(surface.current, plane.side, plane.side, at => {
        const one = found.values[at];
        return certain(one > 0.5 ? 1 : 0, Math.abs(2 * one - 1));
      });
    } else {
      paint(surface.current, plane.side, plane.side, at => {
        let best = 0;
        for (let one = 1; one < outputs; one++) if (found.values[one * area + at] > found.values[best * area + at]) best = one;
        const chance = 1 / outputs;
        return certain(best, (found.values[best * area + at] - chance) / (1 - chance));
      });
    }
  });
  useEffect(() => {
    const context = points.current?.getContext("2d");
    const [given, targets] = [samples.value.get("points"), samples.value.get("point_targets")];
    const plane = now?.plane;
    if (!context || !given || !targets || !plane) return;
    context.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
    for (let index = 0; index < targets.values.length; index++) {
      const x = (given.values[2 * index] - plane.left) / (plane.right - plane.left);
      const y = (plane.top - given.values[2 * index + 1]) / (plane.top - plane.bottom);
      context.beginPath();
      context.arc(2 * SIZE * x, 2 * SIZE * y, 5, 0, 7);
      const target = targets.values[index];
      context.fillStyle = now.task === "classification" ? CLASSES[target % CLASSES.length] : `rgb(${diverging(target)})`;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = "#fff";
      context.stroke();
    }
  }, [samples.value, now]);
  return html`<figure class="plane">
    <canvas ref=${surface} role="img" aria-label="what is predicted over the plane of the two inputs"></canvas>
    <canvas ref=${points} width=${2 * SIZE} height=${2 * SIZE} class="points" aria-hidden="true"></canvas>
    <figcaption>${now?.inputs[0] ?? "x"} across, ${now?.inputs[1] ?? "y"} up; points are training samples.
      <span class="legend">${now?.classes.map((name, index) => html`<span key=${name}><i style=${{ background: CLASSES[index % CLASSES.length] }}></i>${name}</span>`)}</span>
    </figcaption>
  </figure>`;
}

/** The curve over the only input, and the training samples. */
function CurveView() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const now = scene.value;
  const [line, found] = [samples.value.get("line"), arrays.value.get("predicted")];
  const [given, targets] = [samples.value.get("points"), samples.value.get("point_targets")];
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !line || !found || !given || !targets) return;
    const across = Array.from(line.values);
    const all = [...targets.values];
    const [left, right] = [across[0], across[across.length - 1]];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const room = 0.1 * (high - low || 1);
    /** @param {number} x @param {number} y */
    const place = (x, y) => [(2 * SIZE * (x - left)) / (right - left || 1), 2 * SIZE * (1 - (y - low + room) / (high - low + 2 * room))];
    context.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
    context.fillStyle = `${CLASSES[0]}88`;
    for (let at = 0; at < all.length; at++) {
      const [x, y] = place(given.values[at], all[at]);
      context.beginPath();
      context.arc(x, y, 4, 0, 7);
      context.fill();
    }
    context.strokeStyle = CLASSES[1];
    context.lineWidth = 5;
    context.beginPath();
    across.forEach((across, at) => {
      const [x, y] = place(across, found.values[at]);
      context.lineTo(x, y);
    });
    context.stroke();
  });
  return html`<figure class="pairs"><canvas ref=${canvas} width=${2 * SIZE} height=${2 * SIZE} role="img" aria-label="the predicted curve and the training samples"></canvas>
    <figcaption>${now?.inputs[0] ?? "x"} across; points are training samples, the line is what is predicted.</figcaption></figure>`;
}

/** Who was taken for whom. */
function Confusion() {
  const found = arrays.value.get("confusion");
  const now = scene.value;
  if (!found || !now) return null;
  const count = found.shape[0];
  return html`<div class="scroll"><table class="confusion"><caption>Validation part: true class in rows, predicted in columns</caption>
    <thead><tr><td></td>${now.classes.map(name => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
    <tbody>${now.classes.map((name, row) => {
      const own = found.values.subarray(row * count, (row + 1) * count);
      const all = own.reduce((sum, one) => sum + one, 0) || 1;
      return html`<tr key=${name}><th scope="row">${name}</th>${Array.from(own, (one, column) => html`<td key=${column} data-confusion=${`${row}.${column}`}
        class=${row === column ? "right" : "wrong"} style=${{ "--part": one / all }}>${one}</td>`)}</tr>`;
    })}</tbody></table></div>`;
}

/** Predicted against true. */
function Pairs() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const found = arrays.value.get("pairs");
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !found) return;
    const count = found.shape[1];
    let [low, high] = [Infinity, -Infinity];
    for (let at = 0; at < count; at++) [low, high] = [Math.min(low, found.values[at]), Math.max(high, found.values[at])];
    const room = 0.08 * (high - low || 1);
    /** @param {number} value */
    const place = value => (2 * SIZE * (value - low + room)) / (high - low + 2 * room);
    context.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
    context.strokeStyle = "#888";
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(0, 2 * SIZE);
    context.lineTo(2 * SIZE, 0);
    context.stroke();
    context.fillStyle = CLASSES[0];
    for (let at = 0; at < count; at++) {
      context.beginPath();
      const y = Math.min(2 * SIZE - 4, Math.max(4, 2 * SIZE - place(found.values[count + at])));
      context.arc(place(found.values[at]), y, 5, 0, 7);
      context.fill();
    }
  });
  if (!found) return null;
  return html`<figure class="pairs"><canvas ref=${canvas} width=${2 * SIZE} height=${2 * SIZE} role="img" aria-label="predicted against true values"></canvas>
    <figcaption>True values across, predictions up; the line is where both are equal.</figcaption></figure>`;
}

/** Validation images with the classes that are predicted for them. */
function Images() {
  const now = scene.value;
  const [given, truth, said] = [samples.value.get("images"), samples.value.get("image_targets"), arrays.value.get("image_classes")];
  if (!now || !given || !truth || !said) return null;
  return html`<figure><figcaption>Validation images, with what is predicted</figcaption><ul class="images">${Array.from(said.values, (one, at) => {
    const [own, right] = [now.classes[one], now.classes[truth.values[at]]];
    return html`<li key=${at} class=${own === right ? "" : "miss"}><${Picture} given=${given} at=${at} text=${`image ${at} of the class ${right}`} />
      <span>${own === right ? own : html`${own} <s>${right}</s>`}</span></li>`;
  })}</ul></figure>`;
}

/** A photo with the people that are seen in it. */
function Photo() {
  const [given, density] = [samples.value.get("images"), arrays.value.get("density")];
  if (!given || !density) return null;
  const people = density.values.reduce((sum, one) => sum + one, 0);
  return html`<figure class="photo"><div><${Picture} given=${given} text="a photo of the validation part" /><${Density} density=${density} /></div>
    <figcaption>A photo of the validation part, with where people are seen: <b>${shown(people)}</b> in all.</figcaption></figure>`;
}

/** The metrics of now, beside the baseline. */
function Metrics() {
  const now = scene.value;
  if (!now || !curves.value.rows.length) return html`<p class="hint">Nothing is measured yet.</p>`;
  const names = [...new Set(now.metrics.map(one => one.replace(/^(train|validation)_/, "")))];
  /** @param {string} name @param {number | null | undefined} value */
  const told = (name, value) => (name === "accuracy" ? percent(value ?? null) : shown(value));
  return html`<table class="metrics"><thead><tr><td></td><th scope="col">training</th><th scope="col">validation</th><th scope="col">baseline</th></tr></thead>
    <tbody>${names.map(name => html`<tr key=${name}><th scope="row">${name}</th>
      <td data-metric=${`train_${name}`}>${told(name, lastMetric(`train_${name}`))}</td>
      <td data-metric=${`validation_${name}`}>${told(name, lastMetric(`validation_${name}`))}</td>
      <td>${name in now.baseline ? told(name, now.baseline[name]) : ""}</td></tr>`)}</tbody></table>`;
}

export function Results() {
  const now = scene.value;
  return html`<section class="results" aria-label="results"><h2>What it learnt</h2>
    ${now?.plane ? html`<${PlaneView} />` : null}
    ${samples.value.get("line") && now?.task === "regression" ? html`<${CurveView} />` : null}
    <${Metrics} />
    ${frame.value ? html`<${Photo} /><${OwnPhoto} /><${Confusion} /><${Images} /><${Pairs} />` : null}
  </section>`;
}
