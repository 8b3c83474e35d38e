// A folder that is dropped, as one zip archive of its files as they are: one upload, checked as any archive is.

/** @typedef {{name: string, file: Blob}} Named */

const MOST = 65_000; // files: the format counts them in two bytes
const TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32, as zip archives have it. @param {Uint8Array} bytes */
export function checksum(bytes) {
  let value = 0xffffffff;
  for (const one of bytes) value = TABLE[(value ^ one) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Numbers of two or four bytes one after another. @param {[number, number][]} fields value and bytes */
function record(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((all, [, size]) => all + size, 0)));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

/** The visible files as a zip archive, in the order of their names. @param {Named[]} files */
export async function zipped(files) {
  const all = files.filter(one => !one.name.split("/").some(part => part.startsWith(".")))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  if (all.length > MOST) throw new Error(`These are ${all.length} files; at most ${MOST} can be dropped. Start the lab with the folder's path.`);
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {BlobPart[]} */
  const list = [];
  let at = 0;
  let listed = 0;
  for (const { name, file } of all) {
    const text = new TextEncoder().encode(name);
    const sum = checksum(new Uint8Array(await file.arrayBuffer()));
    /** @type {[number, number][]} */
    const own = [[20, 2], [0x800, 2], [0, 2], [0, 2], [0x21, 2], [sum, 4], [file.size, 4], [file.size, 4], [text.length, 2], [0, 2]];
    parts.push(record([[0x04034b50, 4], ...own]), text, file);
    list.push(record([[0x02014b50, 4], [20, 2], ...own, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]]), text);
    at += 30 + text.length + file.size;
    listed += 46 + text.length;
  }
  const end = record([[0x06054b50, 4], [0, 2], [0, 2], [all.length, 2], [all.length, 2], [listed, 4], [at, 4], [0, 2]]);
  return new Blob([...parts, ...list, end]);
}

/** The files in what was dropped, folders walked through. @param {any} entry of the browser's file system
 * @param {string} path @returns {Promise<Named[]>} */
export async function filesIn(entry, path = "") {
  const name = path + entry.name;
  if (entry.isFile) return [{ name, file: await new Promise((done, fail) => { entry.file(done, fail); }) }];
  const reader = entry.createReader();
  /** @type {Named[]} */
  let found = [];
  for (;;) {
    const some = await new Promise((done, fail) => { reader.readEntries(done, fail); });
    if (!some.length) return found;
    for (const one of some) found = found.concat(await filesIn(one, `${name}/`));
  }
}
