// The loss surface as a relief that turns in the hand, with the path of the training and a ball.
import { html } from "./html.js";
import { isDark } from "./colours.js";
import { shown } from "./numbers.js";
import { ask } from "./socket.js";
import { frame, isTraining, notice, relief } from "./store.js";
import { useEffect, useRef } from "./vendor/hooks.js";
import { signal } from "./vendor/signals.js";

const turn = signal({ yaw: 0.7, pitch: 0.75 });
const TALL = 0.55; // of the relief, of its width
const LIFT = 0.015; // of the path above it

const HILLS = `#version 300 es
in vec3 place; uniform mat4 view; out vec3 at;
void main() { at = place; gl_Position = view * vec4(place, 1.0); gl_PointSize = 16.0; }`;
const COLOURS = `#version 300 es
precision highp float; in vec3 at; uniform int kind; uniform vec3 ink; out vec4 colour;
vec3 hue(float t) {
  vec3 low = vec3(0.10, 0.25, 0.50), middle = vec3(0.20, 0.60, 0.60), high = vec3(0.98, 0.85, 0.40);
  return t < 0.5 ? mix(low, middle, 2.0 * t) : mix(middle, high, 2.0 * t - 1.0);
}
void main() {
  if (kind == 1) { colour = vec4(ink, 1.0); return; }
  if (kind == 2) {
    vec2 from = gl_PointCoord - 0.5;
    if (dot(from, from) > 0.25) discard;
    colour = vec4(mix(vec3(0.75, 0.31, 0.0), vec3(1.0, 0.8, 0.6), 0.7 - 2.0 * dot(from + 0.15, from + 0.15)), 1.0);
    return;
  }
  vec3 normal = normalize(cross(dFdx(at), dFdy(at)));
  float light = 0.55 + 0.45 * abs(dot(normal, normalize(vec3(0.3, 0.4, 0.85))));
  float height = at.z / ${TALL.toFixed(2)};
  float line = smoothstep(0.0, 0.08, abs(fract(height * 12.0) - 0.5) - 0.42);
  colour = vec4(hue(height) * light * (1.0 - 0.25 * line), 1.0);
}`;

/** Heights from 0 to 1, on a logarithmic scale where all are above 0; what is not finite is 1.
 * @param {Float32Array} heights */
export function levels(heights) {
  const finite = Array.from(heights).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const isLog = low > 0;
  /** @param {number} value */
  const scaled = value => (isLog ? Math.log(value) : value);
  const [bottom, top] = [scaled(low), scaled(high)];
  return (/** @type {number} */ value) => {
    if (!Number.isFinite(value)) return 1;
    return top > bottom ? Math.min(1, Math.max(0, (scaled(value) - bottom) / (top - bottom))) : 0;
  };
}

/** Where the path is at a step: between its two nearest points. @param {Float32Array} path rows of
 * (step, across, up, loss) @param {number} step */
export function along(path, step) {
  let at = 0;
  while (at + 8 <= path.length && path[at + 4] <= step) at += 4;
  const next = Math.min(at + 4, path.length - 4);
  const far = path[next] - path[at];
  const part = far > 0 ? Math.min(1, Math.max(0, (step - path[at]) / far)) : 0;
  return [1, 2, 3].map(column => path[at + column] + part * (path[next + column] - path[at + column]));
}

/** A view from above at an angle. @param {{yaw: number, pitch: number}} angle @param {number} aspect */
function viewOf({ yaw, pitch }, aspect) {
  const [c, s, u, v] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const [size, tall] = [0.78, 1.1]; // so that no corner is cut at any angle
  return new Float32Array([
    (size * c) / (aspect / 1.35), size * -s * v, -s * u * 0.3, 0,
    (size * s) / (aspect / 1.35), size * c * v, c * u * 0.3, 0,
    0, tall * u, v * -0.3, 0,
    0, tall * u * -0.28, 0, 1,
  ]);
}

/** Everything that is drawn, as numbers for the graphics processor.
 * @param {import("./store.js").Arrays} arrays */
function meshOf(arrays) {
  const [heights, across, up, path] = ["heights", "across", "up", "path"].map(name => arrays.get(name));
  if (!heights || !across || !up || !path) return null;
  const [rows, columns] = heights.shape;
  const level = levels(heights.values);
  /** @param {Float32Array} all @param {number} value */
  const place = (all, value) => (2 * (value - all[0])) / (all[all.length - 1] - all[0]) - 1;
  const hills = new Float32Array(3 * rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      hills.set([(2 * column) / (columns - 1) - 1, (2 * row) / (rows - 1) - 1, TALL * level(heights.values[at])], 3 * at);
    }
  }
  const faces = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      faces.push(at, at + 1, at + columns, at + 1, at + columns + 1, at + columns);
    }
  }
  /** @param {number} x @param {number} y The height of the relief at a place. */
  const ground = (x, y) => {
    const column = Math.min(columns - 1, Math.max(0, Math.round(((x + 1) / 2) * (columns - 1))));
    const row = Math.min(rows - 1, Math.max(0, Math.round(((y + 1) / 2) * (rows - 1))));
    return hills[3 * (row * columns + column) + 2] + LIFT;
  };
  const line = [];
  for (let at = 0; at < path.values.length; at += 4) {
    const [x, y] = [place(across.values, path.values[at + 1]), place(up.values, path.values[at + 2])];
    line.push(x, y, ground(x, y));
  }
  return {
    hills, faces: new Uint32Array(faces), line: new Float32Array(line),
    ball: (/** @type {number} */ step) => {
      const [a, b] = along(path.values, step);
      const [x, y] = [place(across.values, a), place(up.values, b)];
      return new Float32Array([x, y, ground(x, y) + LIFT]);
    },
  };
}

/** @param {WebGL2RenderingContext} gl */
function programOf(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, HILLS], [gl.FRAGMENT_SHADER, COLOURS]])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

/** What is kept of the graphics processor: made once. @param {WebGL2RenderingContext} gl */
const keptOf = gl => ({ gl, program: programOf(gl), values: gl.createBuffer(), faces: gl.createBuffer() });

/** @param {ReturnType<typeof keptOf>} kept
 * @param {NonNullable<ReturnType<typeof meshOf>>} mesh @param {number} step */
function draw({ gl, program, values: own, faces }, mesh, step) {
  const { width, height } = gl.canvas;
  gl.viewport(0, 0, width, height);
  gl.clearColor(0, 0, 0, 0);
  gl.enable(gl.DEPTH_TEST);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.useProgram(program);
  gl.uniformMatrix4fv(gl.getUniformLocation(program, "view"), false, viewOf(turn.value, width / height));
  gl.uniform3fv(gl.getUniformLocation(program, "ink"), isDark() ? [1, 1, 1] : [0.1, 0.1, 0.1]);
  const kind = gl.getUniformLocation(program, "kind");
  const place = gl.getAttribLocation(program, "place");
  /** @param {Float32Array} values */
  const give = values => {
    gl.bindBuffer(gl.ARRAY_BUFFER, own);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STREAM_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 0, 0);
  };
  give(mesh.hills);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, faces);
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.faces, gl.STREAM_DRAW);
  gl.uniform1i(kind, 0);
  gl.drawElements(gl.TRIANGLES, mesh.faces.length, gl.UNSIGNED_INT, 0);
  give(mesh.line);
  gl.uniform1i(kind, 1);
  gl.drawArrays(gl.LINE_STRIP, 0, mesh.line.length / 3);
  give(mesh.ball(step));
  gl.uniform1i(kind, 2);
  gl.drawArrays(gl.POINTS, 0, 1);
}

/** Turn by keys. @param {KeyboardEvent} event */
function onKey(event) {
  const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
  if (!by) return;
  event.preventDefault();
  turned(by[0], by[1]);
}

/** @param {number} yaw @param {number} pitch */
function turned(yaw, pitch) {
  turn.value = { yaw: turn.value.yaw + yaw, pitch: Math.min(1.5, Math.max(0.15, turn.value.pitch + pitch)) };
}

function Hills() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const kept = useRef(/** @type {ReturnType<typeof keptOf> | null} */ (null));
  const mesh = useRef(/** @type {ReturnType<typeof meshOf>} */ (null));
  const now = relief.value;
  const angle = turn.value;
  const step = frame.value?.at ?? 0;
  useEffect(() => { mesh.current = now && meshOf(now.arrays); }, [now]);
  useEffect(() => {
    const own = canvas.current;
    if (!own || !mesh.current) return;
    if (!kept.current) {
      const gl = own.getContext("webgl2", { antialias: true });
      if (!gl) return;
      kept.current = keptOf(gl);
    }
    draw(kept.current, mesh.current, step);
  }, [now, angle, step]);
  return html`<canvas ref=${canvas} class="hills" width="900" height="560" tabindex="0" role="img"
    aria-label="the loss surface with the path of the training; arrow keys turn it" onKeyDown=${onKey}
    onPointerDown=${(/** @type {any} */ event) => event.target.setPointerCapture(event.pointerId)}
    onPointerMove=${(/** @type {any} */ event) => { if (event.buttons) turned(event.movementX / 150, event.movementY / 150); }}></canvas>`;
}

export function Surface() {
  const now = relief.value;
  const path = now?.arrays.get("path");
  const step = frame.value?.at ?? 0;
  const canDraw = (frame.value?.step ?? 0) > 1 && !isTraining.value && notice.value?.level !== "working";
  return html`<section class="surface" aria-label="loss surface"><h2>Loss surface
      <button disabled=${!canDraw} onClick=${() => ask({ do: "draw", points: 41 })}>Draw it</button></h2>
    ${now && path ? html`<${Hills} /><p class="hint">The ball is at step ${step}, at a training loss of <b data-ball="loss">${shown(along(path.values, step)[2])}</b>. Drag to turn; move the step above to roll it. ${now.header.text}</p>`
      : html`<p class="hint">The training loss over the plane that holds most of the path that the weights have walked.</p>`}
  </section>`;
}
