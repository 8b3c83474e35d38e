// A photo of the user's own, and the people that the network counts in it.
import { html } from "./html.js";
import { drop } from "./inputs.js";
import { Density, Picture } from "./map.js";
import { shown } from "./numbers.js";
import { counted, frame, isTraining, scene } from "./store.js";

function Counted() {
  const now = counted.value;
  const photo = now?.arrays.get("photo");
  if (!now || !photo) return null;
  const density = now.arrays.get("density");
  return html`<figure class="photo counted"><div><${Picture} given=${photo} text="the photo, with where people are seen" />
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
