// One step of learning as it travels through the network: signals forward, errors back, a change.
import { html } from "./html.js";
import { shown } from "./numbers.js";
import { ask } from "./socket.js";
import { frame, isTraining, scene, told } from "./store.js";
import { computed, effect, signal } from "./vendor/signals.js";

const PACE = { layer: 1300, step: 2600 }; // milliseconds that a stage stays
const MOST_NUMBERS = 50000; // of a network whose single steps are shown without being asked for
const HEADS = ["Sample", "Prediction", "Loss", "Gradients", "Update", "Again"];

/** @typedef {{step: number, layer: number}} Stage the step of the six, and the layer that is lit */

/** Whether a single step is shown as it travels. */
export const travels = signal(true);
/** Index of the stage that is shown; -1 for none. */
export const stageAt = signal(-1);
const plays = signal(false);
let waitsFor = -1; // the step after which a walk is asked for

/** The stages of a walk: the six steps, forward and back layer by layer. @param {number} layers */
export function stagesOf(layers) {
  const each = Array.from({ length: layers }, (_, layer) => layer);
  return [{ step: 0, layer: -1 }, ...each.map(layer => ({ step: 1, layer })), { step: 2, layer: layers - 1 },
    ...each.reverse().map(layer => ({ step: 3, layer })), { step: 4, layer: -1 }, { step: 5, layer: -1 }];
}

const stages = computed(() => stagesOf(scene.value?.layers.length ?? 0));
/** The stage of now, or null. */
export const stage = computed(() => (told.value && stageAt.value >= 0 ? /** @type {Stage | null} */ (stages.value[stageAt.value] ?? null) : null));

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Ask for the six steps of the step that is shown. */
export function walk() {
  ask({ do: "walk" });
  waitsFor = -2;
}

/** Make one step, and show how it travels. */
export function stepOnce() {
  const numbers = scene.value?.layers.reduce((sum, one) => sum + one.numbers, 0) ?? 0;
  waitsFor = travels.value && numbers <= MOST_NUMBERS ? (frame.value?.step ?? 0) + 1 : -1;
  ask({ do: "play", steps: 1 });
}

/** Ask for something else; a step that was just made is not walked any more.
 * @param {import("./messages").Asked} command */
export function instead(command) {
  waitsFor = -1;
  ask(command);
}

/** What follows from the messages that come: called once. */
export function watchSteps() {
  effect(() => {
    const now = frame.value;
    if (waitsFor > 0 && now && !isTraining.value && now.step >= waitsFor) walk();
  });
  effect(() => {
    const now = told.value;
    if (!now || waitsFor !== -2) return;
    waitsFor = -1;
    if (isStill()) return; // it is told as text
    stageAt.value = 0;
    plays.value = true;
  });
  effect(() => {
    if (isTraining.value || (told.value && frame.value && frame.value.at !== told.value.header.step)) stageAt.value = -1;
  });
  effect(() => {
    const own = stage.value;
    if (!own || !plays.value) return undefined;
    const timer = setTimeout(() => {
      if (stageAt.value + 1 < stages.value.length) stageAt.value += 1;
      else plays.value = false;
    }, own.step === 1 || own.step === 3 ? PACE.layer : PACE.step);
    return () => clearTimeout(timer);
  });
}

/** Whether a layer's units show their errors in a stage: from there back to the loss.
 * @param {Stage} own @param {number} layer */
const isBack = (own, layer) => (own.step === 3 && layer >= own.layer) || own.step === 4;

/** An array of the step that is walked, if a stage is shown that has come to this layer.
 * @param {number} layer -1 for the inputs */
export function signalsOf(layer) {
  const own = stage.value;
  if (!own || !told.value || (own.step === 1 && layer > own.layer) || (own.step === 0 && layer >= 0)) return null;
  const name = layer < 0 ? "inputs" : `${isBack(own, layer) ? "deltas" : "signals"}.${layer}`;
  return told.value.arrays.get(name) ?? null;
}

/** What is written at a unit in the stage of now: its activation or its error. @param {number} layer @param {number} unit */
export function labelOf(layer, unit) {
  const found = signalsOf(layer);
  const own = stage.value;
  if (!found || !own || found.shape.length !== 1 || own.step > 4) return null;
  return `${layer >= 0 && isBack(own, layer) ? "δ " : ""}${shown(found.values[unit])}`;
}

/** What connections into a layer show in the stage of now: weights, gradients or changes. @param {number} layer */
export function connectionsOf(layer) {
  const own = stage.value;
  if (!own || !told.value) return null;
  const name = own.step === 4 ? "changes" : isBack(own, layer) ? "gradients" : "weights";
  return told.value.arrays.get(`${name}.${layer}`) ?? null;
}

/** How connections into a layer are lit. @param {number} layer */
export function lightOf(layer) {
  const own = stage.value;
  if (!own) return "";
  if (own.step === 4) return " lit still";
  return own.layer === layer && (own.step === 1 || own.step === 3) ? (own.step === 1 ? " lit" : " lit back") : "";
}

/** A few numbers of an array in words. @param {{values: Float32Array, shape: number[]} | undefined} found */
function few(found) {
  if (!found) return "";
  if (found.shape.length > 1) return `${found.shape[0]} maps`;
  const values = Array.from(found.values.subarray(0, 4), shown).join(", ");
  return found.values.length > 4 ? `${values} and ${found.values.length - 4} more` : values;
}

/** What happens in the stage of now. @param {Stage} own */
function captionOf(own) {
  const now = told.value;
  const layer = scene.value?.layers[own.layer];
  if (!now) return "";
  const whole = now.header.short[own.step];
  if (own.step === 1 && layer) {
    const isLast = own.layer === (scene.value?.layers.length ?? 0) - 1;
    return `${layer.name}: the signals times its weights, plus its biases, give the activations ${few(now.arrays.get(`signals.${own.layer}`))}. ${isLast ? whole : ""}`;
  }
  if (own.step === 3 && layer) {
    return `${layer.name}: the errors δ at its units are ${few(now.arrays.get(`deltas.${own.layer}`))}. A connection's gradient is the signal before it times the error after it; the lines show the mean over the batch.`;
  }
  return whole;
}

/** The six steps as buttons, and what happens in the one of now. */
export function Walker() {
  const own = stage.value;
  if (!own) return null;
  const to = (/** @type {number} */ at) => {
    plays.value = false;
    stageAt.value = at;
  };
  const last = stages.value.length - 1;
  return html`<div class="walker" role="group" aria-label="step by step">
    <div class="buttons"><button onClick=${() => { if (stageAt.value === last) stageAt.value = 0; plays.value = !plays.value; }}>${plays.value ? "❚❚ Hold" : "▶ Go on"}</button>
      <button onClick=${() => to(Math.max(0, stageAt.value - 1))} disabled=${stageAt.value === 0} aria-label="stage before">◀</button>
      <button onClick=${() => to(Math.min(last, stageAt.value + 1))} disabled=${stageAt.value === last} aria-label="next stage">▶</button>
      ${HEADS.map((head, step) => html`<button key=${head} class=${own.step === step ? "now" : ""} aria-current=${own.step === step ? "step" : undefined}
        onClick=${() => to(stages.value.findIndex(one => one.step === step))}>${step + 1} ${head}</button>`)}
      <button onClick=${() => { stageAt.value = -1; }} aria-label="end the walk">×</button></div>
    <p role="status">${captionOf(own)}</p></div>`;
}
