// What is found out, and one step of learning told in six steps.
import { html } from "./html.js";
import { Rate } from "./rate.js";
import { ask } from "./socket.js";
import { findings, frame, isTraining, notice, scene, setup, tested, told } from "./store.js";
import { travels, walk } from "./walk.js";

/** A change of a finding as settings of the page, or null where the page cannot make it.
 * @param {Record<string, string>} change */
export function settingsOf(change) {
  const able = ["learning_rate", "epochs", "optimizer", "schedule", "batch_size", "weight_decay", "network"];
  const names = Object.keys(change);
  if (!names.length || !names.every(name => able.includes(name))) return null;
  return Object.fromEntries(names.map(name => [name, Number.isNaN(Number(change[name])) ? change[name] : Number(change[name])]));
}

/** Make a change: from the first weights, unless it is to train longer. @param {Record<string, any>} own */
function make(own) {
  if (Object.keys(own).some(name => name !== "epochs")) ask({ do: "goto", step: 0 });
  ask({ do: "setup", ...setup.value, ...own });
}

function Findings() {
  const now = findings.value;
  const canAsk = (frame.value?.step ?? 0) > 0 && !isTraining.value;
  const isWorking = notice.value?.level === "working";
  return html`<section class="findings" aria-label="findings"><h2>What is wrong, and what is normal
      <button disabled=${frame.value?.state !== "ended" || isWorking} onClick=${() => ask({ do: "diagnose" })}>Why? (20 s)</button></h2>
    ${!now?.findings.length ? html`<p class="hint">${canAsk ? "Nothing was found." : "Findings come when a training stops."}</p>` : null}
    ${now?.findings.map((one, index) => {
      const own = settingsOf(one.change);
      return html`<article key=${index} class=${`finding ${one.level}`}><h3>${one.cause.replaceAll("_", " ")} <small>${one.level}${one.where ? `, ${one.where}` : ""}</small></h3>
        <p>${one.seen} ${one.means}</p>
        ${one.proof ? html`<p class="proof">Measured: ${one.proof}</p>` : null}
        ${Object.keys(one.change).length ? html`<p>Change: ${Object.entries(one.change).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ")}
          ${own ? html` <button onClick=${() => make(own)}>Make this change</button>` : null}</p>` : null}</article>`;
    })}
  </section>`;
}

function SixSteps() {
  const now = told.value?.header;
  const step = frame.value?.at ?? 0;
  return html`<section class="walk" aria-label="six steps"><h2>One step of learning
      <button disabled=${!step || isTraining.value} onClick=${walk}>Walk through step ${Math.max(1, step)}</button></h2>
    <label class="check"><input type="checkbox" checked=${travels.value} onChange=${(/** @type {any} */ event) => { travels.value = event.target.checked; }} /> Show a single step as it travels through the network</label>
    ${now ? html`<p class="hint">${now.title}</p><ol>${now.parts.map(([head, text]) => html`<li key=${head}><details open><summary>${head.replace(/^\d+\s+/, "")}</summary><pre tabindex="0">${text}</pre></details></li>`)}</ol>`
      : html`<p class="hint">The sample, the prediction, the loss, the gradients, the update, and again: with the numbers of the step that is shown.</p>`}
  </section>`;
}

function Test() {
  const now = tested.value;
  const count = scene.value?.sizes.test ?? 0;
  return html`<section class="test" aria-label="test"><h2>Test part
      <button disabled=${!(frame.value?.step) || isTraining.value} onClick=${() => ask({ do: "test" })}>Open it</button></h2>
    ${now ? html`<pre tabindex="0">${now.text.join("\n")}</pre>`
      : html`<p class="hint">${count} samples that no training has seen. Each look is counted: whoever chooses by the test part has no test part any more.</p>`}
  </section>`;
}

export function Words() {
  return html`<div class="words"><${Findings} /><${Rate} /><${Test} /><${SixSteps} /></div>`;
}
