// What the page knows: the last message of each kind, and the curves so far.
import { batch, computed, signal } from "./vendor/signals.js";

/** @typedef {import("./messages").Scene} Scene */
/** @typedef {import("./messages").Frame} Frame */
/** @typedef {Map<string, {shape: number[], values: Float32Array}>} Arrays */

export const scene = signal(/** @type {Scene | null} */ (null));
export const samples = signal(/** @type {Arrays} */ (new Map()));
export const frame = signal(/** @type {Frame | null} */ (null));
export const arrays = signal(/** @type {Arrays} */ (new Map()));
export const notice = signal(/** @type {import("./messages").Notice | null} */ (null));
export const elsewhere = signal(""); // what another page of this lab did last
export const findings = signal(/** @type {import("./messages").Findings | null} */ (null));
export const told = signal(/** @type {{header: import("./messages").Told, arrays: Arrays} | null} */ (null));
export const looked = signal(/** @type {{header: import("./messages").Looked, arrays: Arrays} | null} */ (null));
export const layers = signal(/** @type {{header: import("./messages").Layers, arrays: Arrays} | null} */ (null));
export const rated = signal(/** @type {{header: import("./messages").Rated, arrays: Arrays} | null} */ (null));
export const relief = signal(/** @type {{header: import("./messages").Relief, arrays: Arrays} | null} */ (null));
export const counted = signal(/** @type {{header: import("./messages").Counted, arrays: Arrays} | null} */ (null));
export const tested = signal(/** @type {import("./messages").Tested | null} */ (null));
export const connected = signal(false);
export const curves = signal({ losses: new Float32Array(0), rows: new Float32Array(0), width: 0 });
/** The curves of the run that was on the page before, of the same data: another future. */
export const other = signal(/** @type {{name: string, rows: Float32Array, width: number} | null} */ (null));
export const setup = signal(/** @type {Record<string, any>} */ ({}));
/** The unit that was chosen, and of it a weight. */
export const selected = signal(/** @type {{layer: number, unit: number, weight: string | null} | null} */ (null));
/** The training sample that is followed; null for the first one of the step's batch. */
export const sample = signal(/** @type {number | null} */ (null));
/** What connections show: "weights" or "gradients". */
export const coloured = signal("weights");

/** Whether another process trains the run: then it is watched, and cannot be steered here. */
export const isWatched = computed(() => frame.value?.state === "watched");
export const isTraining = computed(() => frame.value?.state === "training" || isWatched.value);

/** The value of a metric in the last measured row, or null. @param {string} name */
export function lastMetric(name) {
  const { rows, width } = curves.value;
  const column = scene.value ? scene.value.metrics.indexOf(name) + 1 : 0;
  return column > 0 && rows.length ? rows[rows.length - width + column] : null;
}

/** Put new values behind those that were there before. @param {Float32Array} before
 * @param {number} from @param {Float32Array} values */
export function joined(before, from, values) {
  const all = new Float32Array(from + values.length);
  all.set(before.subarray(0, from));
  all.set(values, from);
  return all;
}

/** Take a message of the server. @param {any} header @param {Arrays} given */
export function take(header, given) {
  batch(() => {
    if (["told", "layers", "rated", "relief", "counted", "tested", "findings"].includes(header.kind)) endWork();
    if (header.kind === "frame") takeFrame(header, given);
    else if (header.kind === "scene") takeScene(header, given);
    else if (header.kind === "notice" && header.level === "page") elsewhere.value = header.text;
    else if (header.kind === "notice") takeNotice(header);
    else if (header.kind === "findings") findings.value = header;
    else if (header.kind === "told") told.value = { header, arrays: given };
    else if (header.kind === "looked") looked.value = { header, arrays: given };
    else if (header.kind === "layers") layers.value = { header, arrays: given };
    else if (header.kind === "rated") rated.value = { header, arrays: given };
    else if (header.kind === "relief") relief.value = { header, arrays: given };
    else if (header.kind === "counted") counted.value = { header, arrays: given };
    else if (header.kind === "tested") tested.value = header;
  });
}

/** @param {import("./messages").Notice} header */
function takeNotice(header) {
  notice.value = header;
  const now = scene.value; // settings that were refused are as they were
  if (header.level === "error" && now) setup.value = { network: now.network, ...now.settings };
}

/** What was being worked on is done. */
function endWork() {
  if (notice.value?.level === "working") notice.value = null;
}

/** @param {Scene} header @param {Arrays} given */
function takeScene(header, given) {
  const before = scene.value;
  keepCurves(before, header);
  scene.value = header;
  samples.value = given;
  curves.value = { losses: new Float32Array(0), rows: new Float32Array(0), width: 0 };
  arrays.value = new Map();
  told.value = tested.value = findings.value = relief.value = counted.value = layers.value = null;
  endWork();
  if (before?.data !== header.data) sample.value = null;
  if (before?.network !== header.network || before.data !== header.data) selected.value = looked.value = rated.value = null;
  setup.value = { network: header.network, ...header.settings };
}

/** Keep the curves of the run of now, where another run of the same data takes its place.
 * @param {Scene | null} before @param {Scene} header */
function keepCurves(before, header) {
  const { rows, width } = curves.value;
  if (before?.data !== header.data) other.value = null;
  else if (before.folder && before.folder !== header.folder && rows.length) {
    other.value = { name: before.folder.split("/").pop() ?? "", rows, width };
  }
}

/** @param {Frame} header @param {Arrays} given */
function takeFrame(header, given) {
  frame.value = header;
  const losses = given.get("losses");
  const rows = given.get("rows");
  if (losses && rows) {
    const width = rows.shape[1] || curves.value.width;
    curves.value = {
      losses: joined(curves.value.losses, header.losses_from, losses.values),
      rows: joined(curves.value.rows, header.rows_from * width, rows.values),
      width,
    };
  }
  arrays.value = given;
  if (isTraining.value) endWork();
}
