// A small picture of numbers: what a unit responds to, a filter, a row of weights.
import { html } from "./html.js";
import { diverging, paint } from "./colours.js";
import { useEffect, useRef } from "./vendor/hooks.js";

/** @param {{values: ArrayLike<number>, width: number, height: number, most?: number, text: string}} own */
export function Map2D({ values, width, height, most, text }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    let largest = most ?? 0;
    if (most === undefined) for (const one of Array.from(values)) largest = Math.max(largest, Math.abs(one));
    paint(canvas.current, width, height, index => diverging(largest ? values[index] / largest : 0));
  });
  return html`<canvas class="map" ref=${canvas} role="img" aria-label=${text}></canvas>`;
}

/** An image, or one of several, with values from 0 to 1.
 * @param {{given: {shape: number[], values: Float32Array}, at?: number, text: string}} own */
export function Picture({ given, at = 0, text }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const [high, wide, channels] = given.shape.slice(-3);
    const from = at * high * wide * channels;
    paint(canvas.current, wide, high, index => [0, 1, 2].map(channel =>
      255 * given.values[from + index * channels + (channels === 1 ? 0 : channel)]));
  }, [given, at]);
  return html`<canvas ref=${canvas} class="map" role="img" aria-label=${text}></canvas>`;
}

/** A unit's weights as bars. @param {{values: number[], text: string}} own */
export function Bars({ values, text }) {
  const largest = Math.max(1e-12, ...values.map(Math.abs));
  const wide = 36 / values.length;
  return html`<svg class="bars" viewBox="0 0 36 36" role="img" aria-label=${text}>
    <line x1="0" x2="36" y1="18" y2="18" class="axis" />
    ${values.map((value, index) => html`<rect key=${index} x=${index * wide} width=${Math.max(0.5, wide - 0.5)}
      y=${value > 0 ? 18 - (17 * value) / largest : 18} height=${Math.abs((17 * value) / largest)}
      class=${value > 0 ? "high" : "low"} />`)}
  </svg>`;
}

/** A unit's response along the only input. @param {{values: ArrayLike<number>, text: string}} own */
export function Line({ values, text }) {
  const all = Array.from(values);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const points = all.map((value, index) =>
    `${(36 * index) / (all.length - 1)},${high > low ? 34 - (32 * (value - low)) / (high - low) : 18}`);
  return html`<svg class="bars" viewBox="0 0 36 36" role="img" aria-label=${text}><polyline points=${points.join(" ")} /></svg>`;
}

/** Where people are seen, to lie over their photo. @param {{density: {shape: number[], values: Float32Array}}} own */
export function Density({ density }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current) return;
    const [high, wide] = density.shape;
    [canvas.current.width, canvas.current.height] = [wide, high];
    const image = context.createImageData(wide, high);
    let largest = 1e-9;
    for (const one of density.values) largest = Math.max(largest, one);
    density.values.forEach((one, at) => image.data.set([255, 120, 0, 255 * Math.max(0, Math.min(1, one / largest)) * 0.85], 4 * at));
    context.putImageData(image, 0, 0);
  });
  return html`<canvas ref=${canvas} aria-hidden="true"></canvas>`;
}
