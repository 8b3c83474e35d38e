// What the page computes, by node's own test runner: node --test tests/lab
import assert from "node:assert/strict";
import { test } from "node:test";

import { lossColumns, strideOf, withOther } from "../../src/downslope/lab/page/curves.js";
import { checksum, filesIn, zipped } from "../../src/downslope/lab/page/folder.js";
import { dense, layersOf, withActivation, withLayer, withUnits, withoutLayer } from "../../src/downslope/lab/page/notation.js";
import { percent, shown } from "../../src/downslope/lab/page/numbers.js";
import { unpacked } from "../../src/downslope/lab/page/socket.js";
import { along, levels } from "../../src/downslope/lab/page/relief.js";
import { joined } from "../../src/downslope/lab/page/store.js";
import { courses } from "../../src/downslope/lab/page/layers.js";
import { distance } from "../../src/downslope/lab/page/network.js";
import { zonesOf } from "../../src/downslope/lab/page/rate.js";
import { range } from "../../src/downslope/lab/page/text.js";
import { stagesOf } from "../../src/downslope/lab/page/walk.js";
import { settingsOf } from "../../src/downslope/lab/page/words.js";

const TEXT = "dense 8 tanh, residual [dense 8 relu, dense 8], dense 3";

test("a notation is taken apart at its own commas alone", () => {
  assert.deepEqual(layersOf(TEXT), ["dense 8 tanh", "residual [dense 8 relu, dense 8]", "dense 3"]);
  assert.equal(dense("conv 8 3 relu"), null);
  assert.deepEqual(dense("dense 3"), { units: 3, activation: "identity" });
});

test("layers are changed, added and removed", () => {
  assert.equal(withUnits("dense 8 tanh, dense 2", 0, -9), "dense 1 tanh, dense 2");
  assert.equal(withActivation("dense 8 tanh, dense 2", 0, "identity"), "dense 8, dense 2");
  assert.equal(withLayer("dense 4 relu, dense 2", 0), "dense 4 relu, dense 4 relu, dense 2");
  assert.equal(withLayer("dense 2", 0), "dense 8 tanh, dense 2");
  assert.equal(withoutLayer(TEXT, 1), "dense 8 tanh, dense 3");
  assert.equal(withUnits(TEXT, 1, 1), TEXT);
});

test("numbers are shown alike everywhere", () => {
  assert.deepEqual([1234567, 0.123456, 1e-9, NaN, -Infinity, null].map(shown),
    ["1,234,567", "0.1235", "1.00e-9", "none", "-infinite", "none"]);
  assert.equal(percent(0.98765), "98.8 %");
});

test("a message is a header with arrays behind it", () => {
  const text = new TextEncoder().encode('{"kind":"frame","arrays":[["x",[2,2]],["y",[1]]]}  ');
  const length = text.length + ((4 - (text.length % 4)) % 4);
  const bytes = new Uint8Array(4 + length + 20).fill(32);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes.set(text, 4);
  bytes.set(new Uint8Array(new Float32Array([1, 2, 3, 4, 5]).buffer), 4 + length);
  const { header, arrays } = unpacked(bytes.buffer);
  assert.equal(header.kind, "frame");
  assert.deepEqual([...arrays.get("x").values], [1, 2, 3, 4]);
  assert.deepEqual([...arrays.get("y").values], [5]);
});

test("what is sent again takes the place of what was there", () => {
  assert.deepEqual([...joined(new Float32Array([1, 2, 3]), 2, new Float32Array([9]))], [1, 2, 9]);
});

test("curves have a row for each step that has a value", () => {
  const rows = new Float32Array([2, 0.5, 0.6, 4, 0.3, 0.4]);
  const losses = new Float32Array([1, 0.9, 0.8, 0.7]);
  const columns = lossColumns({ losses, rows, width: 3 }, [1, 2]);
  assert.deepEqual(columns[0], [1, 2, 3, 4]);
  assert.deepEqual(columns[2].map(one => one && Number(one.toFixed(2))), [null, 0.5, null, 0.3]);
  assert.equal(strideOf(10_000), 5);
});

test("a change is made where the page has the setting", () => {
  assert.deepEqual(settingsOf({ learning_rate: "0.1", optimizer: "sgd" }), { learning_rate: 0.1, optimizer: "sgd" });
  assert.equal(settingsOf({ scaling: "standard" }), null);
  assert.equal(settingsOf({}), null);
});

test("another run's curve stands at its own steps", () => {
  const rows = new Float32Array([2, 0.5, 3, 0.25]);
  assert.deepEqual(withOther([[1, 2], [9, 8]], { rows, width: 2 }, 1), [[1, 2, 3], [9, 8, null], [null, 0.5, 0.25]]);
});

test("heights are levels, and the ball is between two points of the path", () => {
  const level = levels(new Float32Array([1, 10, 100, Infinity]));
  assert.deepEqual([1, 10, 100, NaN].map(level).map(one => Number(one.toFixed(3))), [0, 0.5, 1, 1]);
  assert.deepEqual([-1, 1].map(levels(new Float32Array([-1, 1]))), [0, 1]);
  const path = new Float32Array([0, 0, 0, 8, 10, 1, 2, 4, 20, 3, 3, 2]);
  assert.deepEqual(along(path, 5), [0.5, 1, 6]);
  assert.deepEqual(along(path, 20), [3, 3, 2]);
  assert.deepEqual(along(path, 99), [3, 3, 2]);
  assert.deepEqual(along(path, 0), [0, 0, 8]);
});

test("a folder is one archive of its visible files, in the order of their names", async () => {
  assert.equal(checksum(new TextEncoder().encode("123456789")), 0xcbf43926);
  const file = (name, text) => ({ name, isFile: true, file: done => done(new Blob([text])) });
  const folder = (name, ...inside) => {
    const left = [inside, []]; // the browser gives a part at a time
    return { name, isFile: false, createReader: () => ({ readEntries: done => done(left.shift()) }) };
  };
  const files = await filesIn(folder("pets", folder("dog", file("1.png", "wau")), file(".hidden", "x"), folder("cat", file("1.png", "miau"))));
  assert.deepEqual(files.map(one => one.name), ["pets/dog/1.png", "pets/.hidden", "pets/cat/1.png"]);
  const bytes = new Uint8Array(await (await zipped(files)).arrayBuffer());
  const text = new TextDecoder("latin1").decode(bytes);
  assert.equal(text.indexOf("hidden"), -1);
  assert.ok(text.indexOf("pets/cat/1.pngmiau") < text.indexOf("pets/dog/1.pngwau"));
  assert.equal(new DataView(bytes.buffer).getUint16(bytes.length - 22 + 10, true), 2);
});

test("a walk goes forward through the layers, and back", () => {
  assert.deepEqual(stagesOf(2).map(one => [one.step, one.layer]),
    [[0, -1], [1, 0], [1, 1], [2, 1], [3, 1], [3, 0], [4, -1], [5, -1]]);
});

test("a click is meant for the connection that is near", () => {
  const line = [0, 0, 100, 100];
  assert.ok(distance(line, 50, 50) < 1e-6);
  assert.ok(distance(line, 0, 0) < 1e-6);
  assert.ok(distance(line, 90, 10) > 30);
});

test("layers that know no dead units have no curve", () => {
  const values = new Float32Array([NaN, NaN, 0.5, 0.25]);
  assert.deepEqual(courses(new Float32Array([1, 9]), { shape: [2, 2], values }, ["a", "b"]), { names: ["b"], columns: [[1, 9], [0.5, 0.25]] });
});

test("rates have up to three zones", () => {
  const found = { learning_rate: 0.1, low: 0.05, high: 0.2, too_slow: 0.01, overshoots: 1 };
  assert.deepEqual(zonesOf(found, [0.05, 0.5]).zones.map(one => one.name), ["slow", "good", "jumps"]);
  assert.deepEqual(zonesOf({ ...found, too_slow: null, overshoots: null }, [0.05]).zones.map(one => one.name), ["good"]);
  assert.equal(range(new Float32Array([2, -1, 0.5])), "-1 to 2");
});
