/**
 * Corrections: pictures with what is right, kept in this tab until they are downloaded as folders that `inkdigit train
 * --data` takes.
 *
 * @typedef {{label: string, box: number[] | null, image: Blob}} Correction `box` is that of the number or symbol that is
 *   corrected, as left, top, right, bottom in px of the image; null where the whole image is one digit
 */

import { element } from "./form.js";
import { zip } from "./zip.js";

const MARGIN = 0.25; // of a box's height, around it
const NO_FOLDER = /[/\\]|^\.+$/; // labels that cannot name one

/** @type {Map<number, Correction>} */
const kept = new Map();
let last = 0;

const button = Object.assign(element("button"), { type: "button", hidden: true, onclick: download });
button.dataset.testid = "download-corrections";
document.querySelector("footer").append(button);

/** Keep a correction, and return its receipt. */
export async function keep(image, label, box) {
  kept.set(++last, { image, label, box });
  show();
  return { id: last };
}

/** Forget a correction by its receipt. */
export async function forget({ id }) {
  kept.delete(id);
  show();
}

function show() {
  button.hidden = !kept.size;
  button.textContent = `Download ${kept.size} correction${kept.size === 1 ? "" : "s"}`;
}

async function download() {
  const link = element("a");
  const url = URL.createObjectURL(zip(await files()));
  Object.assign(link, { href: url, download: "inkdigit-corrections.zip" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Return the files: digits in folders that are named by their labels, and all else with a list of its labels. */
async function files() {
  const [found, list] = [[], ["file,label"]];
  for (const [id, { image, label, box }] of kept) {
    const [picture, ending] = box ? [await part(image, box), "png"] : [image, image.type.split("/")[1] || "image"];
    const isDigit = box ? /^\d$/.test(label) : !NO_FOLDER.test(label);
    const name = `${id}.${ending}`;
    if (!isDigit) list.push(`${name},"${label.replaceAll('"', '""')}"`);
    found.push([isDigit ? `digits/${label}/${name}` : `numbers/${name}`, new Uint8Array(await picture.arrayBuffer())]);
  }
  if (list.length > 1) found.push(["numbers/labels.csv", new TextEncoder().encode(`${list.join("\n")}\n`)]);
  return found;
}

/** Return what is in a box of an image, and a little around it, as PNG. */
async function part(image, [left, top, right, bottom]) {
  const bitmap = await createImageBitmap(image);
  const margin = Math.round(MARGIN * (bottom - top));
  const [x, y] = [left, top].map((side) => Math.max(0, Math.floor(side) - margin));
  const endX = Math.min(bitmap.width, Math.ceil(right) + margin);
  const endY = Math.min(bitmap.height, Math.ceil(bottom) + margin);
  const canvas = new OffscreenCanvas(endX - x, endY - y);
  canvas.getContext("2d").drawImage(bitmap, -x, -y);
  return canvas.convertToBlob();
}
