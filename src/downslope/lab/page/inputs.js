// What goes in: the data, and the settings of the training.
import { html } from "./html.js";
import { grouped } from "./numbers.js";
import { ask } from "./socket.js";
import { isTraining, notice, scene, setup } from "./store.js";
import { signal } from "./vendor/signals.js";

const FIELDS = [["optimizer", "choice"], ["learning_rate", "number"], ["schedule", "choice"], ["batch_size", "batch"],
  ["epochs", "whole"], ["weight_decay", "number"], ["seed", "whole"]];
const NAMES = /** @type {Record<string, string>} */ ({ learning_rate: "learning rate", batch_size: "batch size", weight_decay: "weight decay" });
const dropped = signal(/** @type {{number: string, name: string} | null} */ (null));
const target = signal("");

/** Upload a file and take it as the data. @param {File} file */
export async function drop(file) {
  notice.value = { kind: "notice", level: "working", text: `Reading ${file.name} ...`, arrays: [] };
  const answer = await fetch(`/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  if (!answer.ok) {
    notice.value = { kind: "notice", level: "error", text: await answer.text(), arrays: [] };
    return;
  }
  dropped.value = { number: (await answer.json()).upload, name: file.name };
  ask({ do: "choose", data: dropped.value.number, target: target.value || null });
}

function Data() {
  const now = scene.value;
  if (!now) return null;
  const data = now.choices.data ?? [];
  const isBuiltIn = data.includes(now.source);
  return html`<section aria-label="data"><h2>Data</h2>
    <label>Data set <select value=${isBuiltIn ? now.source : ""} onChange=${(/** @type {any} */ event) => { dropped.value = null; ask({ do: "choose", data: event.target.value }); }}>
      ${isBuiltIn ? null : html`<option value="">${now.data}</option>`}
      ${data.map(name => html`<option key=${name}>${name}</option>`)}</select></label>
    <label class="file">Your own table or arrays <input type="file" accept=".csv,.tsv,.txt,.parquet,.arrow,.npz"
      onChange=${(/** @type {any} */ event) => { if (event.target.files[0]) drop(event.target.files[0]); }} /></label>
    ${dropped.value ? html`<form onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); ask({ do: "choose", data: dropped.value?.number ?? "", target: target.value || null }); }}>
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
