// The connection to the server: commands out as JSON, messages in as a header with arrays behind it.
import { connected, elsewhere, frame, notice, scene, setup, take } from "./store.js";

const AGAIN = 1000; // milliseconds until it connects again
/** @type {WebSocket | null} */
let socket = null;
/** @type {(before: Remembered | null) => void} */
let onScene = () => {};

/** What was on the page when its connection was lost.
 * @typedef {{scene: import("./messages").Scene, setup: Record<string, any>, at: number}} Remembered */
/** @type {Remembered | null} */
let before = null;

/** Take a message apart. @param {ArrayBuffer} data */
export function unpacked(data) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const arrays = new Map();
  let at = 4 + length;
  for (const [name, shape] of header.arrays) {
    const count = shape.reduce((/** @type {number} */ all, /** @type {number} */ one) => all * one, 1);
    arrays.set(name, { shape, values: new Float32Array(data, at, count) });
    at += 4 * count;
  }
  return { header, arrays };
}

/** Ask for something. A changed setting holds at once, so that the next change is made to it.
 * @param {import("./messages").Asked} command */
export function ask(command) {
  if (command.do === "setup") {
    const { do: _, ...own } = command;
    setup.value = { ...setup.value, ...own };
  }
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

/** Ask for the next frame, once this one is on the screen: a hidden page asks for none. */
function ready() {
  requestAnimationFrame(() => ask({ do: "ready" }));
}

/** Stay connected. @param {(before: Remembered | null) => void} first called with the first scene of each
 * connection, and with what was on the page before where it was lost */
export function connect(first) {
  onScene = first;
  let isFirst = true;
  const own = new WebSocket(`ws://${location.host}/socket`);
  own.binaryType = "arraybuffer";
  own.onopen = () => {
    connected.value = true;
    elsewhere.value = "";
    notice.value = null;
    ready();
  };
  own.onmessage = event => {
    const { header, arrays } = unpacked(event.data);
    take(header, arrays);
    if (header.kind === "frame") ready();
    if (header.kind === "scene" && isFirst) {
      isFirst = false;
      onScene(before);
      before = null;
    }
  };
  own.onclose = () => {
    if (connected.value) {
      if (scene.value) before = { scene: scene.value, setup: setup.value, at: frame.value?.at ?? 0 };
      const text = "The lab does not answer. Start downslope lab again in the same folder and open its link: this page goes on where it was.";
      notice.value = { kind: "notice", level: "error", text, arrays: [] };
      frame.value = null;
    }
    connected.value = false;
    setTimeout(() => connect(onScene), AGAIN);
  };
  socket = own;
}
