// The page: put together, connected, and opened at what its address says.
import { html } from "./html.js";
import { Controls, Notices, onKey } from "./controls.js";
import { Curves } from "./curves.js";
import { Inputs, dropAll } from "./inputs.js";
import { LayersOverTime } from "./layers.js";
import { NetworkView } from "./network.js";
import { shown } from "./numbers.js";
import { Surface } from "./relief.js";
import { Results } from "./results.js";
import { ask, connect } from "./socket.js";
import { frame, isTraining, lastMetric, scene, setup } from "./store.js";
import { AsText } from "./text.js";
import { followSelection } from "./unit.js";
import { render } from "./vendor/preact.js";
import { effect, signal } from "./vendor/signals.js";
import { stage, watchSteps } from "./walk.js";
import { Words } from "./words.js";

const SPOKEN = 3000; // milliseconds between two spoken lines
const spoken = signal("");

function Lab() {
  return html`<${Controls} /><${Notices} />
    <main data-step=${stage.value?.step ?? ""}><${Inputs} /><div class="middle"><${NetworkView} /><${Curves} /><${LayersOverTime} /></div>
      <div class="right"><${Results} /><${Surface} /></div><${Words} /><${AsText} /></main>
    <p class="unseen" role="status">${spoken}</p>`;
}

/** What the address says: data set and settings; null where it says nothing that can be read. */
function addressed() {
  try {
    return location.hash.length > 1 ? JSON.parse(decodeURIComponent(location.hash.slice(1))) : null;
  } catch {
    return null;
  }
}

/** Keep data set and settings in the address, so that it opens the same page again. */
function keepAddress() {
  const now = scene.value;
  if (!now || !(now.choices.data ?? []).includes(now.source)) return;
  const text = encodeURIComponent(JSON.stringify({ data: now.source, ...setup.value }));
  history.replaceState(null, "", `#${text}`);
}

/** What the address says, where nothing has been trained yet. */
function first() {
  const wanted = addressed();
  const now = scene.value;
  if (wanted && now && !now.folder && typeof wanted.data === "string") {
    const { data, ...own } = wanted;
    if (data !== now.source) ask({ do: "choose", data });
    if (data !== now.source || Object.keys(own).some(name => own[name] !== setup.value[name])) ask({ do: "setup", ...own });
  }
  effect(keepAddress);
  followSelection();
  watchSteps();
}

/** Go on where the page was, after the lab was started again. @param {import("./socket.js").Remembered} before */
function goOn(before) {
  const now = scene.value;
  const was = before.scene;
  if (!now || now.session === was.session || now.place !== was.place || now.folder) return; // others go on with it
  const run = (now.choices.runs ?? []).find(name => was.folder === `${now.place}/runs/${name}`);
  if (run) {
    ask({ do: "open", run });
    ask({ do: "goto", step: before.at });
    return;
  }
  const data = [...(now.choices.data ?? []), ...(now.choices.dropped ?? [])].find(name => was.source === name || was.source.endsWith(`/dropped/${name}`));
  if (data && was.source !== now.source) ask({ do: "choose", data });
  if (data) ask({ do: "setup", ...before.setup });
}

let isOpened = false;

/** @param {import("./socket.js").Remembered | null} before */
function onConnected(before) {
  if (!isOpened) first();
  else if (before) goOn(before);
  isOpened = true;
}

document.addEventListener("keydown", onKey);
document.addEventListener("dragover", event => event.preventDefault());
document.addEventListener("drop", event => {
  event.preventDefault();
  if (event.dataTransfer) dropAll(event.dataTransfer);
});
setInterval(() => {
  const now = frame.value;
  if (!now || !isTraining.value) return;
  spoken.value = `Step ${now.step}, validation loss ${shown(lastMetric("validation_loss"))}`;
}, SPOKEN);
const root = /** @type {HTMLElement} */ (document.getElementById("lab"));
root.replaceChildren();
render(html`<${Lab} />`, root);
connect(onConnected);
