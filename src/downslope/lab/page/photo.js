// A photo of the user's own, and the people that the network counts in it.
import { html } from "./html.js";
import { paint } from "./colours.js";
import { drop } from "./inputs.js";
import { Density } from "./map.js";
import { shown } from "./numbers.js";
import { counted, frame, isTraining, scene } from "./store.js";
import { useEffect, useRef } from "./vendor/hooks.js";

function Counted() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const now = counted.value;
  const photo = now?.arrays.get("photo");
  useEffect(() => {
    if (!photo) return;
    const [high, wide] = photo.shape;
    paint(canvas.current, wide, high, index => [0, 1, 2].map(channel => 255 * photo.values[3 * index + channel]));
  }, [photo]);
  if (!now || !photo) return null;
  const density = now.arrays.get("density");
  return html`<figure class="photo counted"><div><canvas ref=${canvas} role="img" aria-label="the photo, with where people are seen"></canvas>
      ${density ? html`<${Density} density=${density} />` : null}</div>
    <figcaption>${now.header.photo}: <b data-people=${now.header.people}>${shown(now.header.people)}</b> people. ${now.header.note}</figcaption></figure>`;
}

export function OwnPhoto() {
  if (!scene.value?.counts_people) return null;
  const onChosen = (/** @type {any} */ event) => {
    if (event.target.files[0]) drop([{ name: event.target.files[0].name, file: event.target.files[0] }]);
    event.target.value = "";
  };
  return html`<label class="file">Count the people in a photo of your own
      <input type="file" accept="image/*" disabled=${!frame.value?.step || isTraining.value} onChange=${onChosen} /></label><${Counted} />`;
}
