// Time: play, pause, one step, one epoch, begin again, and back to any step.
import { html } from "./html.js";
import { grouped } from "./numbers.js";
import { ask } from "./socket.js";
import { connected, elsewhere, frame, isTraining, isWatched, notice, scene } from "./store.js";
import { signal } from "./vendor/signals.js";
import { instead, stepOnce } from "./walk.js";

const PACES = [["as fast as it goes", 0], ["an epoch at a glance", -1], ["10 steps a second", 10], ["1 step a second", 1]];
export const pace = signal("-1");

/** Steps per second of a choice. @param {string} choice */
function stepsOf(choice) {
  return choice === "-1" ? 30 * (scene.value?.steps_per_epoch ?? 1) : Number(choice);
}

/** Tell the worker how fast to train. */
const tellPace = () => ask({ do: "pace", steps: stepsOf(pace.value) });

/** Train at this page's pace. @param {{steps?: number, epochs?: number}} how far */
function play(how = {}) {
  tellPace();
  instead({ do: "play", ...how });
}

export function playOrPause() {
  if (isWatched.value) return;
  if (isTraining.value) ask({ do: "pause" });
  else play();
}

/** @param {KeyboardEvent} event */
export function onKey(event) {
  const own = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || own.closest("input, select, textarea, button, a, summary")) return;
  const does = { " ": playOrPause, n: stepOnce, e: () => play({ epochs: 1 }),
    r: () => instead({ do: "renew" }) }[event.key];
  if (does) {
    event.preventDefault();
    does();
  }
}

export function Controls() {
  const now = frame.value;
  const ends = now?.state === "ended" && !now.branches;
  const step = now?.step ?? 0;
  return html`<header>
    <h1><img src="icon.svg" alt="" width="24" height="24" /> Downslope lab</h1>
    <div class="buttons" role="group" aria-label="training">
      <button class="play" onClick=${playOrPause} disabled=${!now || ends || isWatched.value} title="space">${isTraining.value && !isWatched.value ? "❚❚ Pause" : "▶ Play"}</button>
      <button onClick=${stepOnce} disabled=${!now || isTraining.value || ends} title="n">One step</button>
      <button onClick=${() => play({ epochs: 1 })} disabled=${!now || isTraining.value || ends} title="e">One epoch</button>
      <button onClick=${() => instead({ do: "renew" })} disabled=${!step || isWatched.value} title="r">Begin again</button>
      <label>Pace <select value=${pace.value} onChange=${(/** @type {any} */ event) => { pace.value = event.target.value; tellPace(); }}>
        ${PACES.map(([name, value]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
    </div>
    <label class="time">Step <input type="range" min="0" max=${Math.max(1, step)} value=${now?.at ?? 0} disabled=${!step || isTraining.value}
      aria-valuetext=${`step ${now?.at ?? 0} of ${step}`}
      onInput=${(/** @type {any} */ event) => ask({ do: "goto", step: Number(event.target.value) })} />
      <output data-step=${now?.at ?? 0}>${grouped(now?.at ?? 0)} of ${grouped(scene.value?.steps ?? 0)}, ${grouped(now?.epoch ?? 0)} ${now?.epoch === 1 ? "epoch" : "epochs"} done</output></label>
    <p class="state" role="status">${elsewhere.value ? html`<b>${elsewhere.value}</b> ` : null}${!connected.value ? "Not connected." : notice.value?.level === "working" ? notice.value.text
      : isWatched.value ? "Watched: another process trains this run. It can be steered here when that has ended."
      : isTraining.value ? "Training." : now?.branches ? `What is trained next is a new run, from step ${grouped(now.at)}.` : now && now.at < step ? `Looking at step ${grouped(now.at)}; ${grouped(step)} are done.` : now?.message || "Ready."}</p>
  </header>`;
}

export function Notices() {
  const now = notice.value;
  if (!now || now.level === "working") return null;
  return html`<div class=${`notice ${now.level}`} role=${now.level === "error" ? "alert" : "status"}>
    <p>${now.text}</p><button onClick=${() => { notice.value = null; }} aria-label="close this message">×</button></div>`;
}
