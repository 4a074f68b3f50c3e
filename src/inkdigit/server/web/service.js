/**
 * The only module of the page that knows how images are read: it sends them to the HTTP service. The static site replaces
 * this module alone, by one with the same exports: `predict`, `read`, `readForms`, `showSheet`, `models`, `corrections`, `correct` and
 * `withdraw`.
 *
 * A response has probabilities without labels, in the order of its model's labels, which `/v1/models` lists. So the
 * models are cached, and fetched again when a response does not fit them.
 */

import { say } from "./form.js";

const RETRY = 2000; // ms between two attempts while the service is away
const SLOW = 6000; // ms after which the person is told that the service is slow
const ATTEMPTS = 3; // to get a response that fits the models: workers reload their models one after another
const BUSY = [429, 502, 503, 504]; // statuses after which the request is sent again

/** Return a URL's query; %20 instead of +, as paths have it. */
const queryOf = (options) => new URLSearchParams(options).toString().replaceAll("+", "%20");

/** @typedef {{name: string, labels: string[]}} Model */
/** @type {Promise<Model[]>} */
let cached = Promise.resolve([]);
/** @type {Promise<{days: number} | null>} */
let policy = Promise.resolve(null);

/** Return the models to choose from, the default first. Throws an Error with a sentence. */
export function models() {
  const reply = request("v1/models");
  cached = reply.then((body) => body.models);
  policy = reply.then((body) => body.corrections).catch(() => null); // the promise of the models has the error
  return cached;
}

/** Return for how many days corrections are stored, as `models` was told, or null where the service takes none. */
export const corrections = () => policy;

/**
 * Return the prediction for an image, as `/v1/predict` answers, with its model's `labels` and the `frame`.
 *
 * `image` is a Blob, or a function that returns one and is called again for every attempt, so that the newest strokes are
 * sent. For an array of files, return an array, as `/v1/predict/batch` answers: a file that was refused has an `error`.
 * `why` adds the occlusion map. Throws an Error with a sentence, or an AbortError.
 */
export async function predict(image, { model = "", why = false, signal } = {}) {
  const isBatch = Array.isArray(image);
  const options = { ...(!isBatch && { frame: true }), ...(why && { why }), ...(model && { model }) };
  const path = `v1/predict${isBatch ? "/batch" : ""}?${queryOf(options)}`;
  for (let left = ATTEMPTS; left > 0; left--) {
    const reply = await request(path, image, signal);
    const answers = isBatch ? reply.results : [reply];
    const known = await cached.catch(() => []);
    const labelled = labelledBy(known, answers) ?? labelledBy(await models(), answers);
    if (labelled) return isBatch ? labelled : labelled[0];
  }
  throw new Error("The answers do not fit the service's models.");
}

/**
 * Return the reading of an image, as `/v1/read` answers; for an array of files, an array, as `/v1/read/batch` answers.
 *
 * `constraints` may have `allow`, the characters that may occur; `pattern`, a regular expression that each number matches;
 * and `choices`, all that a number may be, one a line. Throws as `predict` does.
 */
export async function read(image, { choices, ...constraints } = {}, { signal } = {}) {
  const query = queryOf(constraints);
  const fields = choices ? { choices } : {}; // a list may be too long for a query
  if (!Array.isArray(image)) return request(`v1/read?${query}`, image, signal, { fields });
  return (await request(`v1/read/batch?${query}`, image, signal, { fields })).results;
}

/**
 * Return the fields of each page of files, as `/v1/forms` answers, with their pictures. A PDF file has several pages.
 *
 * `fields` is the text of a `fields.toml`; `reference` is the picture that pages are aligned to, or null. Throws as
 * `predict` does.
 */
export async function readForms(files, { fields, reference, signal }) {
  const form = new FormData();
  form.append("fields", fields);
  if (reference) form.append("reference", reference, "reference");
  files.forEach((file) => form.append("page", file, file.name));
  return (await request("v1/forms?crops=true", form, signal)).results;
}

/**
 * Return a page of a picture or PDF file, as `/v1/forms/sheet` answers: with its `picture` as a Blob, or instead with the
 * `fields` of a `fields.toml` on it. Throws as `predict` does.
 */
export async function showSheet(file, { page = 1, fields } = {}) {
  const form = new FormData();
  form.append("file", file, file.name ?? "sheet");
  if (fields !== undefined) form.append("fields", fields);
  const query = queryOf({ page, picture: fields === undefined });
  const { picture, ...sheet } = await request(`v1/forms/sheet?${query}`, form);
  return picture ? { ...sheet, picture: pngOf(picture) } : sheet;
}

/** Return a data URL's PNG as a Blob; the page's Content-Security-Policy lets no data URL be fetched. */
function pngOf(url) {
  const text = atob(url.slice(url.indexOf(",") + 1));
  return new Blob([Uint8Array.from(text, (sign) => sign.charCodeAt(0))], { type: "image/png" });
}

/**
 * Send what an answer should have been, and return the receipt that `withdraw` takes.
 *
 * `image` returns the Blob that was read; `reading` is its answer, `box` that of the number or symbol in it that is
 * corrected, or null. Throws as `predict` does.
 */
export async function correct(image, { label, reading, box }) {
  const form = new FormData();
  form.append("file", await image(), "picture");
  form.append("label", label);
  form.append("reading", JSON.stringify(reading));
  if (box) form.append("box", JSON.stringify(box));
  return request("v1/corrections", form);
}

/** Delete a correction by its receipt. Throws as `predict` does. */
export function withdraw({ id, secret }) {
  return request(`v1/corrections/${id}`, null, undefined, { method: "DELETE", headers: { "X-Correction-Secret": secret } });
}

/** Send a request until the service answers; meanwhile, tell the person what it waits for. `fields` are sent as text. */
async function request(path, image, signal, { fields = {}, ...more } = {}) {
  for (let isWaiting = false; ; isWaiting = true) {
    signal?.throwIfAborted();
    const init = { ...(image && { method: "POST", body: await bodyOf(image, fields) }), signal, ...more };
    const slow = setTimeout(() => {
      isWaiting = true;
      say("The service takes long to answer. Waiting…");
    }, SLOW);
    const reply = await fetch(path, init)
      .catch((error) => (signal?.aborted ? Promise.reject(error) : null))
      .finally(() => clearTimeout(slow)); // also when the request is aborted
    if (isWaiting && reply?.ok) say("");
    if (reply?.ok) return reply.status === 204 ? null : reply.json();
    const body = await reply?.json().catch(() => null);
    signal?.throwIfAborted();
    if (reply && !BUSY.includes(reply.status))
      throw new Error(body?.detail ?? `The service failed to answer (${reply.status}).`);
    say(reply ? "The service is busy. Trying again…" : "The service does not answer. Trying again…");
    await sleep(1000 * Number(reply?.headers.get("Retry-After")) || RETRY, signal);
  }
}

/** Return a request's body: a PNG of the canvas as it is; files as multipart, where their names and types do not matter. */
async function bodyOf(image, fields) {
  const blob = typeof image === "function" ? await image() : image;
  if (blob instanceof FormData) return blob;
  if (!(blob instanceof File || Array.isArray(blob) || Object.keys(fields).length)) return blob;
  const form = new FormData();
  [blob].flat().forEach((file) => form.append("files", file, file.name ?? "drawing.png"));
  for (const [name, text] of Object.entries(fields)) form.append(name, text);
  return form;
}

function sleep(ms, signal) {
  return new Promise((wake) => {
    setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/** Return the answers with their models' labels, or null if one does not fit the known models. */
function labelledBy(known, answers) {
  const labelled = answers.map((answer) => (answer.error ? answer : { ...answer, labels: labelsOf(answer, known) }));
  return labelled.every(({ error, labels }) => error || labels) ? labelled : null;
}

/** Return the labels of an answer's probabilities, or null if its model has changed since it was listed. */
function labelsOf({ model, probabilities, digit }, known) {
  const labels = known.find(({ name }) => name === model.name)?.labels ?? [];
  const top = labels[probabilities.indexOf(Math.max(...probabilities))];
  return labels.length === probabilities.length && matches(top, digit) ? labels : null;
}

/** Return whether an answer's digit is this label: the label itself, or the number 7 for "7", "07" or "٧". */
function matches(label, digit) {
  if (typeof digit === "string") return label === digit;
  return /^\p{Nd}+$/u.test(label) && [digit, NaN].includes(Number(label)); // JavaScript does not parse other scripts
}
