// The layers over the training: gradients, updates, dead and saturated units.
import { html } from "./html.js";
import { Curve } from "./curves.js";
import { ask } from "./socket.js";
import { frame, isTraining, layers, notice } from "./store.js";

/** The curves of a measure: steps, and a column for each layer that has it; null for what is none.
 * @param {Float32Array} steps @param {{shape: number[], values: Float32Array} | undefined} found @param {string[]} names */
export function courses(steps, found, names) {
  const count = steps.length;
  const rows = names.map((name, row) => ({ name, own: Array.from(found?.values.subarray(row * count, (row + 1) * count) ?? []) }));
  const kept = rows.filter(({ own }) => own.some(value => !Number.isNaN(value)));
  return { names: kept.map(one => one.name), columns: [Array.from(steps), ...kept.map(({ own }) => own.map(value => (Number.isFinite(value) ? value : null)))] };
}

/** @param {{measure: string, title: string, isLog?: boolean}} own */
function Course({ measure, title, isLog = false }) {
  const now = layers.value;
  const steps = now?.arrays.get("steps");
  if (!now || !steps) return null;
  const { names, columns } = courses(steps.values, now.arrays.get(measure), now.header.names);
  if (!names.length) return null;
  const isPositive = columns.slice(1).every(one => one.every(value => value === null || value > 0));
  return html`<${Curve} title=${title} names=${names} columns=${columns} isLog=${isLog && isPositive} />`;
}

export function LayersOverTime() {
  const now = layers.value;
  const canAsk = (frame.value?.step ?? 0) > 0 && !isTraining.value && notice.value?.level !== "working";
  return html`<section class="layers" aria-label="layers over time"><h2>Layers over time
      <button disabled=${!canAsk} onClick=${() => ask({ do: "layers" })}>Measure them</button></h2>
    ${now ? html`<div class="three"><${Course} measure="gradient_length" title="Size of the gradient" isLog />
        <${Course} measure="update_fraction" title="Change in a step, beside the weights" isLog />
        <${Course} measure="saturated" title="Saturated activations, as a fraction" /><${Course} measure="dead" title="Dead units, as a fraction" /></div>
        <p class="hint">${now.header.text}. A change of about a thousandth of the weights in a step is usual.</p>`
      : html`<p class="hint">How large the gradients are in each layer, how far a step moves its weights, and how many units are dead or saturated, over the training.</p>`}
  </section>`;
}
