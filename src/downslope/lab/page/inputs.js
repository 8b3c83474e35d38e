// What goes in: the data, and the settings of the training.
import { html } from "./html.js";
import { filesIn, zipped } from "./folder.js";
import { grouped } from "./numbers.js";
import { ask } from "./socket.js";
import { isTraining, notice, scene, setup } from "./store.js";
import { signal } from "./vendor/signals.js";

const FIELDS = [["optimizer", "choice"], ["learning_rate", "number"], ["schedule", "choice"], ["batch_size", "batch"],
  ["epochs", "whole"], ["weight_decay", "number"], ["seed", "whole"]];
const NAMES = /** @type {Record<string, string>} */ ({ learning_rate: "learning rate", batch_size: "batch size", weight_decay: "weight decay" });
const MOST_BYTES = 2 ** 30;
const dropped = signal(""); // the name of the data that was dropped last
const target = signal("");

/** @param {"working" | "error"} level @param {string} text */
function say(level, text) {
  notice.value = { kind: "notice", level, text, arrays: [] };
}

/** Take data of the user's own. @param {string} data its name at the server */
function choose(data) {
  dropped.value = data;
  ask({ do: "choose", data, target: target.value || null });
}

/** Upload a file, or several as one folder, and take it as the data.
 * @param {import("./folder.js").Named[]} files */
export async function drop(files) {
  if (!files.length) return;
  const isFolder = files.length > 1 || files[0].name.includes("/");
  const name = isFolder ? `${files[0].name.includes("/") ? files[0].name.split("/")[0] : "dropped"}.zip` : files[0].name;
  say("working", `Reading ${name} ...`);
  try {
    const body = isFolder ? await zipped(files) : files[0].file;
    if (body.size > MOST_BYTES) throw new Error("This is larger than 1 GiB. Start the lab with its path: downslope lab PATH.");
    const answer = await fetch(`/upload?name=${encodeURIComponent(name)}`, { method: "POST", body });
    const isPhoto = !isFolder && files[0].file.type.startsWith("image/");
    if (answer.ok && isPhoto) ask({ do: "count", photo: (await answer.json()).upload });
    else if (answer.ok) choose((await answer.json()).upload);
    else say("error", await answer.text());
  } catch (error) {
    say("error", `${name} was not taken: ${error instanceof Error ? error.message : error}`);
  }
}

/** What was dropped on the page, folders walked through. @param {DataTransfer} given */
export async function dropAll(given) {
  const entries = [...given.items].map(one => one.webkitGetAsEntry());
  const files = [...given.files].map(file => ({ name: file.name, file }));
  if (!entries.some(one => one?.isDirectory)) return drop(files);
  say("working", "Reading the folder ...");
  try {
    return drop((await Promise.all(entries.filter(Boolean).map(one => filesIn(one)))).flat());
  } catch (error) {
    return say("error", `The folder cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** The files that were chosen. @param {any} event */
function onChosen(event) {
  const files = /** @type {File[]} */ ([...event.target.files]);
  drop(files.map(file => ({ name: file.webkitRelativePath || file.name, file })));
  event.target.value = ""; // so that the same can be chosen again
}

function Data() {
  const now = scene.value;
  if (!now) return null;
  const data = now.choices.data ?? [];
  const [own, runs] = [now.choices.dropped ?? [], now.choices.runs ?? []];
  const chosen = data.includes(now.source) ? now.source : own.find(name => now.source.endsWith(`/dropped/${name}`)) ?? "";
  return html`<section aria-label="data"><h2>Data</h2>
    <label>Data set <select value=${chosen} onChange=${(/** @type {any} */ event) => {
        const name = event.target.value;
        if (own.includes(name)) choose(name);
        else {
          dropped.value = "";
          ask({ do: "choose", data: name });
        }
      }}>
      ${chosen ? null : html`<option value="">${now.data}</option>`}
      ${data.map(name => html`<option key=${name}>${name}</option>`)}
      ${own.length ? html`<optgroup label="dropped">${own.map(name => html`<option key=${name}>${name}</option>`)}</optgroup>` : null}</select></label>
    ${runs.length ? html`<label>Run <select value=${now.folder.split("/").pop()} onChange=${(/** @type {any} */ event) => ask(event.target.value ? { do: "open", run: event.target.value } : { do: "renew" })}>
      <option value="">${now.folder && !runs.includes(now.folder.split("/").pop() ?? "") ? now.folder.split("/").pop() : "a new training"}</option>
      ${runs.map(name => html`<option key=${name}>${name}</option>`)}</select></label>` : null}
    <label class="file">Your own table, arrays or zip of images <input type="file" accept=".csv,.tsv,.txt,.gz,.parquet,.arrow,.npz,.zip" onChange=${onChosen} /></label>
    <label class="file">Your own folder of images <input type="file" webkitdirectory onChange=${onChosen} /></label>
    ${dropped.value ? html`<form onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); choose(dropped.value); }}>
      <label>Column to predict <input value=${target.value} onInput=${(/** @type {any} */ event) => { target.value = event.target.value; }} /></label><button>Read</button></form>` : null}
    <dl><dt>Task</dt><dd>${now.task}</dd><dt>Inputs</dt><dd>${now.input_shape.join(" × ")}</dd>
      ${now.classes.length ? html`<dt>Classes</dt><dd>${now.classes.slice(0, 12).join(", ")}</dd>` : null}
      <dt>Samples</dt><dd>${Object.entries(now.sizes).map(([name, count]) => `${name} ${grouped(count)}`).join(", ")}</dd></dl>
    ${now.findings.map(text => html`<p key=${text} class="finding warning">${text}</p>`)}
  </section>`;
}

function Settings() {
  const now = scene.value;
  if (!now) return null;
  /** @param {string} name @param {string} kind @param {any} event */
  const change = (name, kind, event) => {
    const text = event.target.value;
    const value = kind === "choice" || text === "full" ? text : Number(text);
    const own = { ...setup.value, [name]: value };
    if (name === "optimizer") own.learning_rate = own.weight_decay = null;
    ask({ do: "setup", ...own });
  };
  return html`<section aria-label="settings"><h2>Settings</h2>
    ${FIELDS.map(([name, kind]) => html`<label key=${name}>${NAMES[name] ?? name}
      ${kind === "choice" ? html`<select value=${setup.value[name]} disabled=${isTraining.value} onChange=${(/** @type {any} */ event) => change(name, kind, event)}>
          ${(now.choices[name] ?? []).map(one => html`<option key=${one}>${one}</option>`)}</select>`
        : html`<input value=${setup.value[name]} disabled=${isTraining.value} inputmode=${kind === "batch" ? "text" : "decimal"} onChange=${(/** @type {any} */ event) => change(name, kind, event)} />`}</label>`)}
    <label class="wide">Network <textarea rows="3" value=${setup.value.network} disabled=${isTraining.value}
      onChange=${(/** @type {any} */ event) => ask({ do: "setup", ...setup.value, network: event.target.value })}></textarea></label>
    <p class="hint">Another rate, optimizer, schedule or seed makes a new run from the step that is shown; all else begins again.</p>
    <details><summary>Show code</summary><pre tabindex="0">${now.command}</pre><pre tabindex="0">${now.python}</pre>${now.folder ? html`<p>Run: <code>${now.folder}</code></p>` : null}</details>
  </section>`;
}

export function Inputs() {
  return html`<div class="inputs"><${Data} /><${Settings} /></div>`;
}
