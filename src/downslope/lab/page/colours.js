// Colours that stay apart for colour-blind eyes (after Okabe and Ito), in light and in dark.

export const CLASSES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
  "#8a6d00", "#7f3c8d", "#4b4b4b", "#b35806"];

/** @param {string} hex */
const parts = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
const RGB = CLASSES.map(parts);
const LOW = [0, 94, 160];
const HIGH = [190, 80, 0];

export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
const middle = () => (isDark() ? [38, 42, 48] : [246, 246, 244]);

/** A number from -1 to 1 as red, green, blue. @param {number} value */
export function diverging(value) {
  const far = Math.min(1, Math.abs(value)) ** 0.8;
  const [from, to] = [middle(), value < 0 ? LOW : HIGH];
  return from.map((one, index) => one + (to[index] - one) * far);
}

/** A class with a certainty from 0 to 1. @param {number} index @param {number} certainty */
export function certain(index, certainty) {
  const to = RGB[index % RGB.length];
  return middle().map((one, at) => one + (to[at] - one) * 0.75 * certainty);
}

/** Draw values as a picture of one pixel each. @param {HTMLCanvasElement | null} canvas
 * @param {number} width @param {number} height @param {(index: number) => number[]} colour */
export function paint(canvas, width, height, colour) {
  if (!canvas || !width || !height) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(width, height);
  for (let index = 0; index < width * height; index++) {
    const [red, green, blue] = colour(index);
    image.data.set([red, green, blue, 255], 4 * index);
  }
  context.putImageData(image, 0, 0);
}
