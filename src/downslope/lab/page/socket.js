// The connection to the server: commands out as JSON, messages in as a header with arrays behind it.
import { connected, frame, notice, take } from "./store.js";

const AGAIN = 1000; // milliseconds until it connects again
/** @type {WebSocket | null} */
let socket = null;
let onScene = () => {};

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

/** Ask for something. @param {import("./messages").Asked} command */
export function ask(command) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

/** Ask for the next frame, once this one is on the screen: a hidden page asks for none. */
function ready() {
  requestAnimationFrame(() => ask({ do: "ready" }));
}

/** Stay connected; `first` is called once, when the first scene has come. @param {() => void} first */
export function connect(first) {
  onScene = first;
  const own = new WebSocket(`ws://${location.host}/socket`);
  own.binaryType = "arraybuffer";
  own.onopen = () => {
    connected.value = true;
    ready();
  };
  own.onmessage = event => {
    const { header, arrays } = unpacked(event.data);
    take(header, arrays);
    if (header.kind === "frame") ready();
    if (header.kind === "scene") {
      onScene();
      onScene = () => {};
    }
  };
  own.onclose = () => {
    if (connected.value) {
      const text = "The lab has ended, or its link is no longer valid. Start downslope lab again.";
      notice.value = { kind: "notice", level: "error", text, arrays: [] };
      frame.value = null;
    }
    connected.value = false;
    setTimeout(() => connect(onScene), AGAIN);
  };
  socket = own;
}
