// The rate finder: what each learning rate led to, and which are too small, good and too large.
import { html } from "./html.js";
import { shown } from "./numbers.js";
import { ask } from "./socket.js";
import { isTraining, notice, rated, setup } from "./store.js";

const [WIDE, HIGH, LEFT, BOTTOM, TOP] = [640, 270, 56, 34, 42];
const BEYOND = 12; // how far rates are shown beyond the borders
const HIGHEST = 3; // times the loss at the first weights; what is higher lies at the upper edge

/** @typedef {import("./messages").Rated} Rated */

/** The rates that are shown, and the three zones among them. @param {Rated} now @param {number[]} tried */
export function zonesOf(now, tried) {
  const [slow, jumps] = [now.too_slow, now.overshoots];
  const low = Math.max(1e-5, Math.min(slow ?? Infinity, ...tried, now.low) / BEYOND);
  const high = Math.min(1e2, Math.max(jumps ?? 0, ...tried, now.high) * BEYOND);
  const zones = [{ name: "good", from: now.low, to: now.high, text: `good: ${shown(now.learning_rate)}` }];
  if (slow !== null) zones.unshift({ name: "slow", from: low, to: slow, text: `too slow below ${shown(Number(slow.toPrecision(2)))}` });
  if (jumps !== null) zones.push({ name: "jumps", from: jumps, to: high, text: `overshoots above ${shown(Number(jumps.toPrecision(2)))}` });
  return { low, high, zones };
}

/** Pairs of a rate and a loss. @param {{values: Float32Array} | undefined} found */
const pairs = found => Array.from({ length: (found?.values.length ?? 0) / 2 }, (_, at) => [found?.values[2 * at] ?? 0, found?.values[2 * at + 1] ?? 0]);

function Picture() {
  const now = rated.value;
  if (!now) return null;
  const [wide, near] = [pairs(now.arrays.get("wide")), pairs(now.arrays.get("near"))];
  const { low, high, zones } = zonesOf(now.header, near.map(one => one[0]));
  const top = HIGHEST * now.header.start_loss;
  const inside = [...wide, ...near].filter(([rate, loss]) => rate >= low && rate <= high && Number.isFinite(loss));
  const floor = Math.min(now.header.start_loss, ...inside.map(one => one[1]).filter(loss => loss > 0));
  const [bottom, ceiling] = [Math.log(floor) - 0.1, Math.log(Math.max(floor * 1.5, Math.min(top, Math.max(now.header.start_loss, ...inside.map(one => one[1])))))];
  const above = ceiling + 0.14 * (ceiling - bottom);
  const x = (/** @type {number} */ rate) => LEFT + ((WIDE - LEFT - 8) * Math.log(rate / low)) / Math.log(high / low);
  const y = (/** @type {number} */ loss) => HIGH - BOTTOM - (HIGH - BOTTOM - TOP) * Math.min(1, Math.max(0, ((loss > 0 ? Math.log(Number.isFinite(loss) ? loss : top) : bottom) - bottom) / (above - bottom)));
  const decades = Array.from({ length: 9 }, (_, at) => 10 ** (at - 6)).filter(rate => rate >= low && rate <= high);
  const levels = [0.1, 0.5, 0.9].map(part => Math.exp(bottom + part * (above - bottom)));
  return html`<svg class="rates" viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${now.header.text}>
    ${zones.map(({ name, from, to, text }) => html`<g key=${name} class=${name}><rect x=${x(from)} y=${TOP} width=${Math.max(1, x(to) - x(from))} height=${HIGH - TOP - BOTTOM} />
      <text x=${name === "slow" ? x(from) : name === "jumps" ? x(to) : Math.min(WIDE - 60, Math.max(LEFT + 40, x(now.header.learning_rate)))} y=${name === "good" ? 14 : 32} text-anchor=${name === "slow" ? "start" : name === "jumps" ? "end" : "middle"}>${text}</text></g>`)}
    <line class="own" x1=${x(now.header.learning_rate)} x2=${x(now.header.learning_rate)} y1=${TOP} y2=${HIGH - BOTTOM} />
    <line class="start" x1=${LEFT} x2=${WIDE - 8} y1=${y(now.header.start_loss)} y2=${y(now.header.start_loss)} />
    <text class="axis" x=${WIDE - 10} y=${y(now.header.start_loss) - 5} text-anchor="end">before training</text>
    ${wide.filter(([rate]) => rate >= low && rate <= high).map(([rate, loss]) => html`<rect key=${rate} class="wide" x=${x(rate) - 3} y=${y(loss) - 3} width="6" height="6" />`)}
    <polyline points=${near.map(([rate, loss]) => `${x(rate)},${y(loss)}`).join(" ")} />
    ${near.map(([rate, loss]) => html`<circle key=${rate} cx=${x(rate)} cy=${y(loss)} r="3.5" />`)}
    ${decades.map(rate => html`<text key=${rate} class="axis" x=${x(rate)} y=${HIGH - BOTTOM + 15} text-anchor="middle">${rate}</text>`)}
    ${levels.map(loss => html`<text key=${loss} class="axis" x=${LEFT - 5} y=${y(loss) + 4} text-anchor="end">${Number(loss.toPrecision(2))}</text>`)}
    <text class="axis" x=${(WIDE + LEFT) / 2} y=${HIGH - 4} text-anchor="middle">learning rate</text>
  </svg>`;
}

export function Rate() {
  const now = rated.value?.header;
  const isBusy = isTraining.value || notice.value?.level === "working";
  return html`<section class="rate" aria-label="rate finder"><h2>Learning rate
      <button disabled=${isBusy} onClick=${() => ask({ do: "rate" })}>Find a good one</button></h2>
    ${now ? html`<${Picture} /><p class="hint">Validation loss (${now.loss.replaceAll("_", " ")}) at the end: squares of short trainings, circles of longer ones. ${now.text}</p>
        <button class="take" disabled=${isBusy} onClick=${() => ask({ do: "setup", ...setup.value, learning_rate: now.learning_rate })}>Take ${shown(now.learning_rate)}</button>`
      : html`<p class="hint">Many short trainings with rates from far too small to far too large: which are too slow, good, and overshoot. It takes about 20 seconds, or as long as a long training.</p>`}
  </section>`;
}
