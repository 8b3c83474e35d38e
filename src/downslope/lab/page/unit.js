// A unit with all that is added up in it, and a connection with the factors of its gradient.
import { html } from "./html.js";
import { Map2D } from "./map.js";
import { grouped } from "./numbers.js";
import { ask } from "./socket.js";
import { coloured, isTraining, looked, sample, scene, selected } from "./store.js";
import { effect } from "./vendor/signals.js";

/** Keep the worker following what is looked at: called once. */
export function followSelection() {
  effect(() => {
    const now = scene.value;
    const own = selected.value;
    const gradients = coloured.value === "gradients";
    if (!now || (!own && !gradients && !now.image && sample.value === null)) return;
    ask({ do: "look", layer: own ? own.layer + 1 : null, unit: own?.unit ?? 0, weight: own?.weight ?? null, sample: sample.value, gradients });
  });
}

/** Which sample is followed. @param {{at: number}} own */
function Sample({ at }) {
  const count = scene.value?.sizes.train ?? 1;
  return html`<label class="sample">Training sample <input type="number" min="0" max=${count - 1} value=${at}
    onChange=${(/** @type {any} */ event) => { sample.value = Math.min(count - 1, Math.max(0, Math.round(Number(event.target.value) || 0))); }} /></label>`;
}

/** What a unit sees of an image, its weights and their products, side by side. */
function Maps() {
  const found = looked.value?.arrays;
  const parts = /** @type {[string, string][]} */ ([["seen", "what it sees"], ["filter", "its weights"], ["products", "their products"]]);
  if (!found?.get("seen")) return null;
  return html`<div class="maps">${parts.map(([name, text]) => {
    const one = found.get(name);
    if (!one) return null;
    const [channels, high, wide] = one.shape;
    return html`<figure key=${name}><div>${Array.from({ length: channels }, (_, channel) => html`<${Map2D} key=${channel} width=${wide} height=${high}
      values=${one.values.subarray(channel * high * wide, (channel + 1) * high * wide)} text=${`${text}, channel ${channel}`} />`)}</div><figcaption>${text}</figcaption></figure>`;
  })}</div>`;
}

/** Inputs times weights plus bias, and what becomes of the sum. @param {{now: import("./messages").Looked}} own */
function Sums({ now }) {
  const layer = now.layer - 1;
  return html`<div class="scroll"><table class="sums"><thead><tr><th scope="col">input</th><th scope="col">value</th><th scope="col">× weight</th><th scope="col">= product</th></tr></thead>
    <tbody>${now.rows.map(([key, name, value, weight, product]) => {
      const isOwn = selected.value?.weight === key;
      return html`<tr key=${key} class=${isOwn ? "chosen" : ""}><th scope="row">${name}</th><td data-input=${`${layer}.${key}.${now.unit}`}>${value}</td>
        <td><button class="weight" data-weight=${`${layer}.${key}.${now.unit}`} aria-pressed=${isOwn} title="the factors of its gradient"
          onClick=${() => { selected.value = { layer, unit: now.unit, weight: isOwn ? null : key }; }}>${weight}</button></td>
        <td data-product=${`${layer}.${key}.${now.unit}`}>${product}</td></tr>`;
    })}
    ${now.others[0] ? html`<tr><th scope="row">${grouped(now.others[0])} others</th><td></td><td></td><td>${now.others[1]}</td></tr>` : null}
    ${now.numbers.map(([name, value], index) => html`<tr key=${name} class=${index === 1 ? "sum" : ""}><th scope="row" colspan="3">${name}</th>
      <td data-number=${`${layer}.${now.unit}.${index}`} data-bias=${index ? undefined : `${layer}.${now.unit}`}>${value}</td></tr>`)}</tbody></table></div>`;
}

/** A gradient as factors that multiply, and sums of such products. @param {{now: import("./messages").Looked}} own */
function Chain({ now }) {
  if (!now.weight) return null;
  return html`<section class="chain" aria-label="factors of the gradient"><h3>${now.weight} of layer ${now.layer}: <span data-value>${now.value}</span></h3>
    <p class="hint">How the loss of this sample changes with this weight, as factors that you can multiply:</p>
    ${now.chain.map(one => html`<div class="link" key=${one.symbol}><p><b>${one.symbol}</b> = <b data-sum=${one.symbol}>${one.value}</b>${one.count > 1 ? `, the sum of ${grouped(one.count)} terms` : ""}</p>
      ${one.terms.map((term, index) => html`<div class="product" key=${index}>${term.factors.map((factor, at) => html`${at ? html`<span class="times">×</span>` : null}
        <span class="factor" title=${factor.how}><small>${factor.words}</small><b data-factor=${factor.symbol}>${factor.value}</b><small>${factor.symbol}</small></span>`)}
        <span class="times">=</span><b data-product-of=${one.symbol}>${term.value}</b></div>`)}
      ${one.count > one.terms.length ? html`<p class="hint">and ${grouped(one.count - one.terms.length)} more, together ${one.rest}</p>` : null}
      ${[...new Set(one.terms.flatMap(term => term.factors.map(factor => factor.how)).filter(Boolean))].slice(0, 2).map(how => html`<p class="hint" key=${how}>${how}</p>`)}</div>`)}
    <p>Found by backpropagation: <b data-gradient>${now.gradient}</b></p></section>`;
}

/** The unit that was chosen, for one sample. */
export function Unit() {
  const own = selected.value;
  const now = looked.value?.header;
  if (!own) return html`<p class="hint">Click a unit for its inputs, weights and bias, or a connection for its gradient.</p>`;
  const isOwn = now && now.layer === own.layer + 1 && now.unit === own.unit;
  const name = scene.value?.layers[own.layer]?.name;
  if (!isOwn) return html`<div class="unit"><h3>${name}, unit ${own.unit} <${Close} /></h3><p class="hint">One moment.</p></div>`;
  return html`<div class="unit"><h3>${now.title}, after step ${grouped(now.at)} <${Close} /></h3>
    <div class="asked"><${Sample} at=${now.sample} /> <span>Target: <b>${now.target}</b></span> <span>Loss of this sample: <b data-sample-loss>${now.loss}</b></span></div>
    <${Maps} /><div class="told"><div><${Sums} now=${now} />${now.worked_out.map(text => html`<p key=${text} class="hint">${text}</p>`)}
      ${now.weight ? null : html`<p class="hint">Press a weight for the factors of its gradient.</p>`}</div><${Chain} now=${now} /></div></div>`;
}

function Close() {
  return html`<button onClick=${() => { selected.value = null; }} aria-label="close">×</button>`;
}

/** What the connections show. */
export function Colouring() {
  return html`<label class="colouring">Connections show <select value=${coloured.value} disabled=${isTraining.value && !scene.value} onChange=${(/** @type {any} */ event) => { coloured.value = event.target.value; }}>
    <option value="weights">weights</option><option value="gradients">gradient of the training loss</option></select></label>`;
}
