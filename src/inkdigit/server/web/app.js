/**
 * The page: strokes to the paper, the paper to the service (service.js), the answer to the form (form.js).
 *
 * It never looks at a pixel. The canvas goes to the service as it is, a picture as its own bytes: what is ink, and
 * where, is the model's to say.
 *
 * @typedef {{x: number, y: number}} Point in units of the canvas, so that no change of the window can lose a stroke
 * @typedef {{strokes: Point[][], picture: Blob | null}} Sheet what lies on the desk: strokes, or one picture
 */

import { closeFiles, downloadCsv, downloadJson, onRowKey, readFiles, turnOrder } from "./files.js";
import { $, element, say, showAnswer, showLabels, showSight } from "./form.js";
import { Refusal, askAnswers, askModels, packed, query, sleep } from "./service.js";

const PEN_WIDTH = 14; // of 480: thin enough for an 8 of an eighth of the paper, thick enough for one that fills it
const PAUSE = 50; // ms between two questions about a stroke: leaves the service air, and still feels immediate

const canvas = $("canvas");
const context = canvas.getContext("2d", { alpha: false });

/** @type {Sheet} */
let sheet = { strokes: [], picture: null };
/** @type {Sheet[]} */
const past = [];
let writing = null; // the pointer whose stroke is being drawn: a second finger, or the palm, writes nothing
let stroke = new AbortController(); // ends when that pointer is lifted
let subject = new AbortController(); // ends with what the sheet shows; no answer to it may appear after that
let unread = false;
let reading = false;

// The sheet

const isEmpty = () => sheet.strokes.length === 0 && sheet.picture === null;

function paint() {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  sheet.strokes.forEach(paintStroke);
}

/** Draw a stroke through the middles of its segments, which rounds the corners that a mouse makes. */
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
  context.lineTo(last.x + 0.01, last.y); // a hair further, or a dot would have no length and not be drawn
  context.stroke();
}

/** Put another sheet on the desk; `fresh` when it is not the old one with more ink. */
function turnTo(next, fresh) {
  sheet = next;
  if (fresh) startAfresh();
  paint();
  $("paper").classList.toggle("used", !isEmpty());
  changed();
}

/** Forget what was asked about the old sheet, and its answer unless a similar one is about to follow. */
function startAfresh() {
  subject.abort();
  subject = new AbortController();
  lift();
  say("");
  if (isEmpty() || sheet.picture) showAnswer(null);
  showPicture(sheet.picture);
}

function showPicture(blob) {
  const picture = $("picture");
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.hidden = !blob;
  if (blob) picture.src = URL.createObjectURL(blob);
  else picture.removeAttribute("src");
}

function replaceSheet(next) {
  past.push(sheet);
  turnTo(next, true);
}

function clear() {
  if (isEmpty()) say("");
  else replaceSheet({ strokes: [], picture: null });
}

function undo() {
  const earlier = past.pop();
  if (earlier) turnTo(earlier, true);
}

// The pen

/** @returns {Point} */
function pointOf(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function penDown(event) {
  if (writing !== null || event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId); // a stroke may leave the paper and come back
  past.push(sheet);
  turnTo({ strokes: [...sheet.strokes, [pointOf(event)]], picture: null }, sheet.picture !== null);
  writing = event.pointerId;
  stroke = new AbortController();
  showBusy();
}

function penMove(event) {
  if (event.pointerId !== writing) return;
  const events = event.getCoalescedEvents?.() ?? [];
  sheet.strokes.at(-1).push(...(events.length ? events : [event]).map(pointOf));
  paint();
  changed();
}

function penUp(event) {
  if (event.pointerId !== writing) return;
  lift();
  showBusy();
  if ($("sees").open) changed(); // why is asked only now
}

function lift() {
  writing = null;
  stroke.abort();
}

/** Keep a screen reader quiet until the pen is lifted and the last question answered. */
function showBusy() {
  $("form").setAttribute("aria-busy", `${reading || writing !== null}`);
}

const paperPng = () => new Promise((done) => canvas.toBlob(done, "image/png"));

/** Read the sheet while it changes: one question at a time, each about the newest strokes. */
async function changed() {
  unread = true;
  if (reading) return;
  reading = true;
  showBusy();
  while (unread) {
    unread = false;
    if (!isEmpty()) {
      await readSheet(subject.signal);
      if (writing !== null) await sleep(PAUSE, stroke.signal);
    }
  }
  reading = false;
  showBusy();
}

async function readSheet(signal) {
  try {
    const makeBody = () => (sheet.picture ? packed([sheet.picture]) : paperPng());
    const wanted = $("sees").open && writing === null ? "frame=true&why=true" : "frame=true";
    const [answer] = await askAnswers(`v1/predict${query(wanted)}`, makeBody, signal);
    signal.throwIfAborted();
    say("");
    showAnswer(answer);
  } catch (error) {
    if (signal.aborted) return;
    showAnswer(null);
    say(error instanceof Refusal ? error.message : "The page could not read the answer.");
  }
}

// Pictures from elsewhere

/** Put a picture on the desk. */
function lay(file) {
  replaceSheet({ strokes: [], picture: file });
}

/** Take what was chosen, dropped or pasted: one picture to the desk, more into the table. */
function take(list, from) {
  const files = [...(list ?? [])];
  if (files.length === 0) say(`There is no picture ${from}.`);
  else if (files.length === 1) lay(files[0]);
  else readFiles(files, lay);
}

async function fillModels() {
  const models = await askModels();
  const showChosen = () => showLabels(models[$("model").selectedIndex].labels);
  $("model").append(...models.map(({ name }) => element("option", "", name)));
  $("model").addEventListener("change", () => isEmpty() && showChosen()); // else its answer shows its labels
  $("model-choice").hidden = models.length < 2;
  showChosen();
}

// What a person does

function onKey(event) {
  const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
  if (isUndo) undo();
  else if (event.key === "Escape") clear();
  else return;
  event.preventDefault();
}

function onDrag(event) {
  event.preventDefault(); // or the browser would leave the page for the picture
  document.body.classList.toggle("dropping", event.type === "dragover");
}

function onDrop(event) {
  onDrag(event);
  take(event.dataTransfer?.files, "in what was dropped");
}

function onChoice(event) {
  const files = [...event.target.files];
  event.target.value = ""; // so that the same file can be chosen again
  if (files.length) take(files);
}

function listen() {
  const pen = { pointerdown: penDown, pointermove: penMove, pointerup: penUp, pointercancel: penUp };
  for (const [name, hear] of Object.entries(pen)) canvas.addEventListener(name, hear);
  for (const name of ["dragover", "dragleave"]) document.addEventListener(name, onDrag);
  document.addEventListener("drop", onDrop);
  document.addEventListener("paste", (event) => take(event.clipboardData?.files, "on the clipboard"));
  document.addEventListener("keydown", onKey);
  const buttons = { undo, clear, csv: downloadCsv, json: downloadJson, close: closeFiles, sort: turnOrder };
  for (const [id, act] of Object.entries(buttons)) $(id).addEventListener("click", act);
  for (const id of ["upload", "camera"]) $(id).addEventListener("change", onChoice);
  $("model").addEventListener("change", changed);
  $("sees").addEventListener("toggle", () => (isEmpty() ? showSight(null) : changed()));
  $("rows").addEventListener("keydown", onRowKey);
  $("picture").addEventListener("error", () => ($("picture").hidden = true)); // a format that only the service reads
}

listen();
paint();
fillModels().catch((error) => say(error.message));
