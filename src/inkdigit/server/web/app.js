/**
 * The page: strokes and images go to service.js, what it answers goes to form.js.
 *
 * It never looks at a pixel. The canvas is sent as it is, an image as its own bytes: the model decides what is ink.
 *
 * @typedef {{x: number, y: number}} Point in units of the canvas, so that resizing the window loses no stroke
 * @typedef {{strokes: Point[][], image: File | null}} Content what the canvas shows: strokes, or one image
 */

import { constraints, onConstraint } from "./constraints.js";
import { listenToCorrections, offerCorrections, showCorrection } from "./correction.js";
import { closeTable, downloadCsv, downloadJson, onRowKey, readFiles, toggleOrder } from "./files.js";
import { $, chosenModel, element, isNumber, say, showExplanation, showLabels, showNumber, showPrediction } from "./form.js";
import { listenToForms, takeSheets } from "./forms.js";
import { models, predict, read } from "./service.js";

const PEN_WIDTH = 14; // of 480: thin enough for an 8 of an eighth of the canvas, thick enough for one that fills it
const IMAGE_PART = 0.875; // of the canvas's side that an image fills: the rest is the padding of #image
const PAUSE = 50; // ms between two requests while the pen is down: spares the service, and still feels immediate

const canvas = $("canvas");
const context = canvas.getContext("2d", { alpha: false });

/** @type {Content} */
let content = { strokes: [], image: null };
/** @type {Content[]} */
const history = [];
let pointer = null; // id of the pointer that draws: a second finger, or the palm, draws nothing
let penLift = new AbortController(); // aborted when that pointer is lifted
let penTouch = new AbortController(); // aborted when the pen touches the canvas: a reading is late by then
let replacement = new AbortController(); // aborted when the content is replaced: no answer about it may appear after that
let isStale = false; // the content has changed since the last request
let isReading = false;

// Content

const isEmpty = () => content.strokes.length === 0 && content.image === null;

function paint() {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  content.strokes.forEach(paintStroke);
}

/** Paint a stroke through the middles of its segments, which rounds the corners that a mouse makes. */
function paintStroke(points) {
  const [first] = points;
  context.lineWidth = PEN_WIDTH;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(first.x, first.y);
  for (let i = 1; i < points.length - 1; i++) {
    const [here, next] = [points[i], points[i + 1]];
    context.quadraticCurveTo(here.x, here.y, (here.x + next.x) / 2, (here.y + next.y) / 2);
  }
  const last = points.at(-1);
  context.lineTo(last.x + 0.01, last.y); // a line without length, from a click, would not be painted
  context.stroke();
}

/** Show other content; `isReplaced` unless it is the previous strokes and more. */
function setContent(next, isReplaced) {
  content = next;
  if (isReplaced) forgetAnswer();
  showCorrection(null);
  paint();
  $("canvas-area").classList.toggle("used", !isEmpty());
  update();
}

/** Abort the requests about the previous content; keep its answer on show if a similar one is about to follow. */
function forgetAnswer() {
  replacement.abort();
  replacement = new AbortController();
  liftPen();
  say("");
  if (isEmpty() || content.image) showPrediction(null);
  showImage(content.image);
}

function showImage(blob) {
  const image = $("image");
  if (image.src) URL.revokeObjectURL(image.src);
  image.hidden = !blob;
  $("boxes").hidden = false;
  if (blob) image.src = URL.createObjectURL(blob);
  else image.removeAttribute("src");
}

function replaceContent(next) {
  history.push(content);
  setContent(next, true);
}

function clear() {
  if (isEmpty()) say("");
  else replaceContent({ strokes: [], image: null });
}

function undo() {
  const previous = history.pop();
  if (previous) setContent(previous, true);
}

// Pen

/** @returns {Point} */
function pointOf(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function penDown(event) {
  if (pointer !== null || event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId); // a stroke may leave the canvas and come back
  history.push(content);
  setContent({ strokes: [...content.strokes, [pointOf(event)]], image: null }, content.image !== null);
  pointer = event.pointerId;
  penTouch.abort();
  penTouch = new AbortController();
  penLift = new AbortController();
  showBusy();
}

function penMove(event) {
  if (event.pointerId !== pointer) return;
  const events = event.getCoalescedEvents?.() ?? [];
  content.strokes.at(-1).push(...(events.length ? events : [event]).map(pointOf));
  paint();
  update();
}

function penUp(event) {
  if (event.pointerId !== pointer) return;
  liftPen();
  showBusy();
  update(); // the number, and the occlusion map, are requested only now
}

function liftPen() {
  pointer = null;
  penLift.abort();
}

/** Keep a screen reader quiet until the pen is lifted and the last request answered. */
function showBusy() {
  $("form").setAttribute("aria-busy", `${isReading || pointer !== null}`);
}

// Reading

const canvasPng = () => new Promise((done) => canvas.toBlob(done, "image/png"));

/** Read the content while it changes: one request at a time, each about the newest strokes. */
async function update() {
  isStale = true;
  if (isReading) return;
  isReading = true;
  showBusy();
  while (isStale) {
    isStale = false;
    if (!isEmpty()) {
      await readContent(replacement.signal);
      if (pointer !== null) await pause(penLift.signal);
    }
  }
  isReading = false;
  showBusy();
}

/** Wait for PAUSE, or until the signal. */
function pause(signal) {
  return new Promise((wake) => {
    setTimeout(wake, PAUSE);
    signal.addEventListener("abort", wake, { once: true });
  });
}

/** Ask for the digit, and once the pen is up also for the number, and show the number if it has more than one symbol. */
async function readContent(signal) {
  const isPenUp = pointer === null;
  const source = content.image ?? canvasPng;
  const isNumberShown = !$("number").hidden;
  try {
    const stop = AbortSignal.any([signal, penTouch.signal]);
    const known = constraints();
    const isConstrained = Object.keys(known).length > 0;
    const onError = (error) => (isConstrained && !stop.aborted ? Promise.reject(error) : null); // else the prediction has it
    const reading = isPenUp ? read(source, known, { signal: stop }).catch(onError) : null;
    reading?.catch(() => {}); // it is awaited below, unless the prediction fails first
    const prediction = await predict(source, { model: chosenModel(), why: $("explanation").open && isPenUp, signal });
    signal.throwIfAborted();
    say("");
    if (isNumberShown && !isPenUp) return; // the number stays until the stroke is complete
    if (prediction.is_digit && !isNumberShown) showPrediction(prediction); // at once: the reading takes longer
    const number = await reading;
    signal.throwIfAborted();
    const isShown = isConstrained ? Boolean(number?.numbers.length) : isNumber(number, prediction);
    if (isShown) showReading(number);
    else if (!(isNumberShown && stop.aborted)) showPrediction(prediction);
    if (isPenUp) showCorrection(isShown ? number : prediction, async () => (typeof source === "function" ? source() : source));
  } catch (error) {
    if (signal.aborted) return;
    showPrediction(null);
    say(error.message);
  }
}

/** Show a number with boxes on the canvas, or on the image, once that is loaded. */
async function showReading(reading) {
  const image = $("image");
  if (!content.image) return showNumber(reading, [canvas.width, canvas.height], 1);
  const shown = content;
  await image.decode().catch(() => {}); // a format that only the service decodes
  if (content === shown) showNumber(reading, [image.naturalWidth || 1, image.naturalHeight || 1], IMAGE_PART);
}

// Images

function openImage(file) {
  replaceContent({ strokes: [], image: file });
}

/** Take what was chosen, dropped or pasted: one image onto the canvas, several into the table. */
function takeFiles(list, from) {
  const files = [...(list ?? [])];
  if (files.length === 1) return openImage(files[0]);
  say(files.length ? "" : `There is no picture ${from}.`);
  if (files.length) readFiles(files, openImage);
}

async function listModels() {
  const listed = await models();
  const showChosen = () => showLabels(listed[$("model").selectedIndex].labels);
  $("model").append(...listed.map(({ name }) => element("option", "", name)));
  $("model").addEventListener("change", () => isEmpty() && showChosen()); // else the next answer shows its labels
  $("model-choice").hidden = listed.length < 2;
  offerCorrections(listed[0].labels);
  showChosen();
}

// Events

const isInForms = ({ target }) => Boolean(target.closest?.("#forms"));

function onKey(event) {
  if (isInForms(event)) return; // its boxes and cells have keys of their own
  const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
  if (isUndo) undo();
  else if (event.key === "Escape") clear();
  else return;
  event.preventDefault();
}

function onDrag(event) {
  event.preventDefault(); // otherwise the browser would leave the page and open the file
  document.body.classList.toggle("dropping", event.type === "dragover");
}

function onDrop(event) {
  onDrag(event);
  const { files } = event.dataTransfer ?? {};
  if (isInForms(event)) takeSheets([...(files ?? [])]);
  else takeFiles(files, "in what was dropped");
}

function onChoice(event) {
  const files = [...event.target.files];
  event.target.value = ""; // so that the same file can be chosen again
  if (files.length) takeFiles(files);
}

function listen() {
  const pen = { pointerdown: penDown, pointermove: penMove, pointerup: penUp, pointercancel: penUp };
  for (const [name, handle] of Object.entries(pen)) canvas.addEventListener(name, handle);
  for (const name of ["dragover", "dragleave"]) document.addEventListener(name, onDrag);
  document.addEventListener("drop", onDrop);
  document.addEventListener("paste", (event) => isInForms(event) || takeFiles(event.clipboardData?.files, "on the clipboard"));
  document.addEventListener("keydown", onKey);
  const buttons = { undo, clear, csv: downloadCsv, json: downloadJson, close: closeTable, sort: toggleOrder };
  for (const [id, act] of Object.entries(buttons)) $(id).addEventListener("click", act);
  for (const id of ["upload", "camera"]) $(id).addEventListener("change", onChoice);
  $("model").addEventListener("change", update);
  onConstraint(update);
  $("explanation").addEventListener("toggle", () => (isEmpty() ? showExplanation(null) : update()));
  $("rows").addEventListener("keydown", onRowKey);
  $("image").addEventListener("error", () => ($("image").hidden = $("boxes").hidden = true)); // the browser cannot decode it
}

listen();
listenToCorrections();
listenToForms();
paint();
listModels().catch((error) => say(error.message));
