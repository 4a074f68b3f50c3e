/**
 * The page: strokes to the paper, the paper to the service, the answer to the form.
 *
 * It never looks at a pixel. The canvas goes to the service as it is, a picture as its own bytes: what is ink, and
 * where, is the model's to say.
 *
 * @typedef {{x: number, y: number}} Point in units of the canvas, so that no change of the window can lose a stroke
 * @typedef {{strokes: Point[][], picture: Blob | null}} Sheet what lies on the desk: strokes, or one picture
 */

const PEN_WIDTH = 14; // of 480: thin enough for an 8 of an eighth of the paper, thick enough for one that fills it
const PAUSE = 50; // ms between two questions, which leaves the service air and still feels immediate
const RETRY = 2000; // ms until the service is asked again when it is away
const SLOW = 6000; // ms after which the wait is explained
const CHUNK_FILES = 16;
const CHUNK_BYTES = 48 * 1024 ** 2; // well under the 100 MiB that one batch may have
const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

const $ = (id) => document.getElementById(id);
const canvas = $("canvas");
const context = canvas.getContext("2d", { alpha: false });

/** @type {Sheet} */
let sheet = { strokes: [], picture: null };
/** @type {Sheet[]} */
const past = [];
let writing = null; // the pointer whose stroke is being drawn: a second finger, or the palm, writes nothing
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
  writing = null;
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
  writing = null;
  showBusy();
  if ($("sees").open) changed(); // why is asked only now
}

/** Keep a screen reader quiet until the pen is lifted and the last question answered. */
function showBusy() {
  $("form").setAttribute("aria-busy", `${reading || writing !== null}`);
}

// The service

/** What the service refused, in its own sentence. */
class Refusal extends Error {}

/** Wait, or until the signal ends the wait. */
function sleep(ms, signal) {
  return new Promise((wake) => {
    setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/**
 * Ask the service until it answers, and say so while it is away or busy.
 *
 * `makeBody` is called for every attempt, so that the newest strokes are sent. Throws a Refusal, or AbortError.
 */
async function ask(path, makeBody, signal) {
  for (let isWaiting = false; ; isWaiting = true) {
    signal?.throwIfAborted();
    const init = makeBody ? { method: "POST", body: await makeBody(), signal } : { signal };
    const slow = setTimeout(() => {
      isWaiting = true;
      say("The service takes long to answer. Waiting…");
    }, SLOW);
    const reply = await fetch(path, init).catch((error) => (signal?.aborted ? Promise.reject(error) : null));
    clearTimeout(slow);
    if (isWaiting && reply?.ok) say("");
    if (reply?.ok) return reply.json();
    const body = await reply?.json().catch(() => null);
    signal?.throwIfAborted();
    if (reply && ![429, 502, 503, 504].includes(reply.status))
      throw new Refusal(body?.detail ?? `The service failed to answer (${reply.status}).`);
    say(reply ? "The service is busy. Trying again…" : "The service does not answer. Trying again…");
    await sleep(1000 * Number(reply?.headers.get("Retry-After")) || RETRY, signal);
  }
}

function query(more = "") {
  const model = $("model-choice").hidden ? "" : $("model").value;
  const parts = [more, model && `model=${encodeURIComponent(model)}`].filter(Boolean);
  return parts.length ? `?${parts.join("&")}` : "";
}

const paperPng = () => new Promise((done) => canvas.toBlob(done, "image/png"));

/** Pack files; their bytes tell the service what they are, whatever their names and types say. */
function packed(files) {
  const form = new FormData();
  files.forEach((file) => form.append("files", file, file.name));
  return form;
}

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
      await sleep(PAUSE, subject.signal);
    }
  }
  reading = false;
  showBusy();
}

async function readSheet(signal) {
  try {
    const makeBody = () => (sheet.picture ? packed([sheet.picture]) : paperPng());
    const wanted = $("sees").open && writing === null ? "frame=true&why=true" : "frame=true";
    const answer = await ask(`v1/predict${query(wanted)}`, makeBody, signal);
    signal.throwIfAborted();
    say("");
    showAnswer(answer);
  } catch (error) {
    if (signal.aborted) return;
    showAnswer(null);
    say(error instanceof Refusal ? error.message : "The page could not read the answer.");
  }
}

// The form

function say(sentence) {
  $("error").textContent = sentence;
  $("verdict").hidden = sentence !== "";
}

/** Give a probability as a percentage that never claims to be certain. */
function percent(share) {
  return share < 0.9995 ? `${(100 * share).toFixed(1)} %` : `${Math.min(100 * share, 99.99).toFixed(2)} %`;
}

/** Give the class of an answer's colours. */
const trustIn = (answer) => (!answer.is_digit ? "no-digit" : answer.is_sure ? "sure" : "unsure");

/** Say in words how far an answer can be trusted. */
function verdictOf(answer) {
  const [first, second] = answer.probabilities.map((share, digit) => [share, digit]).sort(([a], [b]) => b - a);
  if (!answer.is_digit) return `Not a digit. The nearest would be ${WORDS[first[1]]}.`;
  if (!answer.is_sure) return `Not sure. Perhaps ${WORDS[first[1]]}, or ${WORDS[second[1]]}.`;
  return `A clear ${WORDS[answer.digit]}.`;
}

/** Fill in the form; null empties it. */
function showAnswer(answer) {
  const isDigit = answer?.is_digit ?? true;
  const verdict = answer ? verdictOf(answer) : "";
  $("digit").textContent = answer?.digit ?? "";
  $("digit-label").textContent = isDigit ? "Digit" : "Nearest digit";
  $("confidence").textContent = answer ? percent(answer.confidence) : "";
  $("confidence-label").textContent = isDigit ? "Confidence" : "Confidence, if it is one";
  if ($("verdict").textContent !== verdict) $("verdict").textContent = verdict; // the same words are not said twice
  $("form").className = `form ${answer ? trustIn(answer) : ""}`;
  $("preview").hidden = !answer;
  if (answer) $("preview").src = answer.frame;
  else $("preview").removeAttribute("src");
  showBars(answer);
  if ($("sees").open) showSight(answer);
}

/** Show the answer's way: picture, frame, why, and the likeliest digits; null empties it. */
function showSight(answer) {
  const picture = sheet.picture ? $("picture").src : canvas.toDataURL("image/png");
  for (const [id, source] of [["sees-picture", picture], ["sees-frame", answer?.frame], ["sees-under", answer?.frame]]) {
    $(id).hidden = !answer;
    if (answer) $(id).src = source;
    else $(id).removeAttribute("src");
  }
  $("why").hidden = !answer?.why;
  if (answer?.why) $("why").style.setProperty("--why", `url(${answer.why})`);
  const ranked = (answer?.probabilities ?? []).map((share, digit) => [share, digit]).sort(([a], [b]) => b - a);
  const lines = ranked.slice(0, 5).map(([share, digit]) => element("li", "", element("span", "", `${digit}`), percent(share)));
  $("ranks").replaceChildren(...lines);
}

function showBars(answer) {
  const first = answer ? answer.probabilities.indexOf(Math.max(...answer.probabilities)) : -1;
  [...$("bars").children].forEach((bar, digit) => {
    const share = answer?.probabilities[digit] ?? 0;
    bar.classList.toggle("first", digit === first);
    bar.firstChild.style.setProperty("--share", share.toFixed(4));
    bar.lastChild.textContent = answer ? `: ${percent(share)}` : "";
  });
}

function element(name, className = "", ...content) {
  const made = Object.assign(document.createElement(name), { className });
  made.append(...content);
  return made;
}

function makeBars() {
  $("bars").append(...WORDS.map((_, digit) => element("li", "", element("i"), `${digit}`, element("span", "said"))));
}

// Pictures from elsewhere

let table = { results: [], closing: new AbortController() };

/** Take what was chosen, dropped or pasted: one picture to the desk, more into the table. */
function take(list, from) {
  const files = [...(list ?? [])];
  if (files.length === 0) say(`There is no picture ${from}.`);
  else if (files.length === 1) replaceSheet({ strokes: [], picture: files[0] });
  else readFiles(files);
}

/** Cut a list of files so that no request is too large, and the table fills as it is read. */
function* chunksOf(files) {
  let [chunk, bytes] = [[], 0];
  for (const file of files) {
    if (chunk.length && (chunk.length === CHUNK_FILES || bytes + file.size > CHUNK_BYTES)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(file);
    bytes += file.size;
  }
  yield chunk;
}

async function readFiles(files) {
  closeFiles();
  const { results, closing } = table;
  $("files").hidden = false;
  showProgress(0, files.length);
  $("files").scrollIntoView({ block: "nearest" });
  for (const chunk of chunksOf(files)) {
    const answers = await readChunk(chunk, closing.signal);
    if (closing.signal.aborted) return;
    results.push(...answers);
    $("rows").append(...answers.map((answer, place) => rowOf(chunk[place], answer)));
    $("rows").rows[0].tabIndex = 0;
    sortRows();
    showProgress(results.length, files.length);
  }
}

/** Put the least sure first, then the surest; what could not be read stays at the end. */
function turnOrder() {
  const { ariaSort } = $("by-confidence");
  $("by-confidence").ariaSort = ariaSort === "ascending" ? "descending" : "ascending";
  sortRows();
}

function sortRows() {
  const direction = { ascending: 1, descending: -1 }[$("by-confidence").ariaSort];
  if (!direction) return;
  const failed = (row) => row.classList.contains("failed");
  const byShare = (a, b) => failed(a) - failed(b) || direction * (a.dataset.share - b.dataset.share);
  $("rows").append(...[...$("rows").rows].sort(byShare));
}

/** Walk through the results by the arrow keys. */
function onRowKey(event) {
  const row = event.target.closest("tr");
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (event.key === "Enter") row.click();
  else if (!next) return;
  event.preventDefault();
  if (!next) return;
  row.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

/** Read some files; when all are refused together, each gets the sentence. */
async function readChunk(files, signal) {
  try {
    const { results } = await ask(`v1/predict/batch${query()}`, () => packed(files), signal);
    return results.map((result, place) => ({ ...result, file: files[place].name })); // forms change a name's quotes
  } catch (error) {
    return files.map((file) => ({ file: file.name, error: { detail: error.message } }));
  }
}

function showProgress(done, count) {
  $("files-title").textContent = done < count ? `${done} of ${count} pictures read` : `${count} pictures`;
  Object.assign($("progress"), { max: count, value: done, hidden: done === count });
  $("csv").hidden = $("json").hidden = done < count;
}

function rowOf(file, result) {
  const thumbnail = Object.assign(element("img"), { src: URL.createObjectURL(file), alt: "", decoding: "async" });
  thumbnail.onerror = () => thumbnail.remove(); // a format that only the service reads
  const words = element("small", "", result.error ? result.error.detail : verdictOf(result));
  const cells = [element("td", "", thumbnail), element("td", "", file.name, words)];
  if (result.error) cells[1].colSpan = 3;
  else cells.push(element("td", "figure", `${result.digit}`), element("td", "number", percent(result.confidence)));
  const row = element("tr", result.error ? "failed" : trustIn(result), ...cells);
  row.dataset.share = result.confidence ?? 0;
  row.tabIndex = -1;
  row.onclick = () => replaceSheet({ strokes: [], picture: file });
  return row;
}

function closeFiles() {
  table.closing.abort();
  table = { results: [], closing: new AbortController() };
  document.querySelectorAll("#rows img").forEach((image) => URL.revokeObjectURL(image.src));
  $("rows").replaceChildren();
  $("by-confidence").ariaSort = null;
  $("files").hidden = true;
}

/** Quote a CSV field; a name that a spreadsheet would take for a formula is made text by an apostrophe. */
function csvField(value) {
  const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function downloadCsv() {
  const keys = ["file", "digit", "confidence", "is_digit", "digitness", "is_sure", "error"]; // as the command's --csv
  const rows = table.results.map((result) => ({ ...result, error: result.error?.detail }));
  const lines = [keys, ...rows.map((row) => keys.map((key) => csvField(row[key])))];
  download("inkdigit.csv", "text/csv", lines.map((line) => `${line.join(",")}\r\n`).join(""));
}

function downloadJson() {
  download("inkdigit.json", "application/json", JSON.stringify({ results: table.results }, null, 2));
}

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(element("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function fillModels() {
  const { models } = await ask("v1/models");
  $("model").append(...models.map(({ name }) => element("option", "", name)));
  $("model-choice").hidden = models.length < 2;
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

makeBars();
listen();
paint();
fillModels().catch((error) => say(error.message));
