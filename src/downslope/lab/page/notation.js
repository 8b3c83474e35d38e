// A network in its text form, changed layer by layer.

export const ACTIVATIONS = ["tanh", "relu", "sigmoid", "silu", "gelu", "leaky_relu", "identity"];

/** The layers of a notation; a comma inside of brackets separates none. @param {string} text */
export function layersOf(text) {
  const found = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if ("([{".includes(text[at])) depth += 1;
    if (")]}".includes(text[at])) depth -= 1;
    if (text[at] === "," && depth === 0) {
      found.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return [...found, text.slice(from).trim()];
}

/** Units and activation of a dense layer; null for others. @param {string} layer */
export function dense(layer) {
  const found = /^dense (\d+)(?: (\w+))?$/.exec(layer);
  return found && { units: Number(found[1]), activation: found[2] ?? "identity" };
}

/** @param {number} units @param {string} activation */
const written = (units, activation) =>
  `dense ${units}${activation === "identity" ? "" : ` ${activation}`}`;

/** With more or fewer units. @param {string} text @param {number} index @param {number} more */
export function withUnits(text, index, more) {
  return changed(text, index, one => written(Math.max(1, one.units + more), one.activation));
}

/** With another activation. @param {string} text @param {number} index @param {string} name */
export function withActivation(text, index, name) {
  return changed(text, index, one => written(one.units, name));
}

/** With one more layer like it behind a layer. @param {string} text @param {number} index */
export function withLayer(text, index) {
  const layers = layersOf(text);
  const own = dense(layers[index] ?? "") ?? { units: 8, activation: "tanh" };
  const isLast = index === layers.length - 1;
  layers.splice(isLast ? index : index + 1, 0,
    isLast ? written(8, "tanh") : written(own.units, own.activation));
  return layers.join(", ");
}

/** Without a layer. @param {string} text @param {number} index */
export function withoutLayer(text, index) {
  return layersOf(text).filter((_, at) => at !== index).join(", ");
}

/** @param {string} text @param {number} index
 * @param {(one: {units: number, activation: string}) => string} change */
function changed(text, index, change) {
  const layers = layersOf(text);
  const own = dense(layers[index] ?? "");
  if (own) layers[index] = change(own);
  return layers.join(", ");
}
