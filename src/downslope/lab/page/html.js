// The page's pieces are functions that return elements, written as tagged templates.
import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export const html = htm.bind(h);
