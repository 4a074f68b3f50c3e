/** The picture with boxes and texts, to download: what `Reading.draw` (reading.py) draws. */

import { $, element } from "./form.js";

// White text on each has a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
const [SURE, UNSURE, DOUBTFUL] = ["rgb(26, 127, 55)", "rgb(154, 85, 0)", "rgb(207, 34, 46)"];

/** @type {{image: Blob, reading: object, threshold: number} | null} */
let last = null;

const button = element("button", "", "Download with boxes");
Object.assign(button, { type: "button", hidden: true, onclick: download });
button.dataset.testid = "download-annotated";
document.querySelector("footer").append(button);
new MutationObserver(() => (button.hidden = $("number").hidden || !last)).observe($("number"), { attributes: true });

/** Remember a reading and its image; `threshold` is the confidence at or over which a number is sure. */
export function remember(image, reading, threshold) {
  last = { image, reading, threshold };
}

async function download() {
  const canvas = await annotated(last);
  const url = URL.createObjectURL(await canvas.convertToBlob());
  Object.assign(element("a"), { href: url, download: "inkdigit-read.png" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Draw an image of its own size, upright, with a box and a text for each number. */
async function annotated({ image, reading, threshold }) {
  const bitmap = await createImageBitmap(image);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  const pen = Math.max(1, Math.round(Math.max(canvas.width, canvas.height) / 500));
  for (const number of reading.numbers) {
    const isMatch = number.is_match !== false;
    const isSure = isMatch && number.confidence >= threshold;
    const colour = isSure ? SURE : isMatch && number.confidence >= 0.5 ? UNSURE : DOUBTFUL;
    drawBox(context, number.box, pen, colour);
    drawText(context, number.box, isSure ? number.text : `${number.text}?`, pen, colour);
  }
  return canvas;
}

/** Outline a box just outside of it, between two white lines, which part it from dark and light. */
function drawBox(context, [left, top, right, bottom], pen, colour) {
  for (const [width, style] of [[2.5 * pen, "white"], [pen, colour]]) {
    Object.assign(context, { lineWidth: width, strokeStyle: style });
    context.strokeRect(left - 1.5 * pen, top - 1.5 * pen, right - left + 3 * pen, bottom - top + 3 * pen);
  }
}

/** Write a text, white on its colour, above its box, or below where there is no room. */
function drawText(context, [left, top, , bottom], text, pen, colour) {
  const size = Math.max(11, 6 * pen, Math.min(0.45 * (bottom - top), 40 * pen));
  context.font = `600 ${size}px sans-serif`;
  const [width, height] = [context.measureText(text).width + 6 * pen, 1.3 * size];
  const x = Math.max(0, Math.min(left, context.canvas.width - width));
  const above = top - height - 3 * pen;
  const y = above >= 0 ? above : Math.min(bottom + 3 * pen, context.canvas.height - height);
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  Object.assign(context, { fillStyle: "white", textBaseline: "middle" });
  context.fillText(text, x + 3 * pen, y + height / 2);
}
