/**
 * Takes the place of the page's service.js on the static site: the same exports, answered by workers in this browser.
 * Pictures never leave it.
 *
 * Predictions and readings have a worker each, so that a long reading delays no prediction.
 */

import { remember } from "./annotated.js";
import { DIGIT_MODELS, NUMBER_MODEL, RUNTIME } from "./contracts.js";
import { forget, keep } from "./corrections.js";
import { element, say } from "./form.js";

const RETRY = 2000; // ms between two attempts to load a model
const MAX_THREADS = 4; // of a reading; browsers allow several where the server sends headers that isolate the page

/** Asks a worker, one job at a time; of jobs that wait, those that nobody waits for any more are left out. */
class Answers {
  /**
   * @param {string} model that is loaded at once
   * @param {number} threads in which the graph runs
   */
  constructor(model, threads) {
    this.last = Promise.resolve();
    this.worker = new Worker(new URL("reader/worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => data.file && showProgress(data));
    this.worker.addEventListener("error", () => say("The reader did not start. Reload the page."));
    this.isLoaded = this.load({ model, threads });
  }

  /** Load a model, as often as it takes. */
  async load(job) {
    for (let isFailed = false; ; isFailed = true) {
      const isKept = Boolean(navigator.serviceWorker?.controller);
      const { error } = await this.post({ kind: "load", ...job, isKept });
      if (isFailed && !error) say("");
      if (!error) return;
      say("The reader cannot be loaded. Trying again…");
      await new Promise((wake) => setTimeout(wake, RETRY));
    }
  }

  /** Return the worker's answer to one message. */
  post(message) {
    const answer = new Promise((done) => {
      const take = ({ data }) => {
        if (data.file) return; // news of a file that is loaded
        this.worker.removeEventListener("message", take);
        done(data);
      };
      this.worker.addEventListener("message", take);
    });
    this.worker.postMessage(message);
    return answer;
  }

  /** Return the answer about an image, or throw an Error with a sentence, or an AbortError. */
  async ask(job, image, signal) {
    const turn = this.last.then(async () => {
      await this.isLoaded;
      signal?.throwIfAborted();
      const blob = typeof image === "function" ? await image() : image;
      return this.post({ ...job, blob });
    });
    this.last = turn.catch(() => null);
    const { answer, error, isOurs } = await unlessAborted(turn, signal);
    if (!error) return answer;
    throw isOurs ? new Error(error.detail) : new Error(`The reader failed: ${error.detail}`);
  }
}

function unlessAborted(promise, signal) {
  if (!signal) return promise;
  const aborted = new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason), { once: true }));
  signal.throwIfAborted();
  return Promise.race([promise, aborted]);
}

// What the page asks

const threads = self.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency) : 1;
const digits = new Answers(DIGIT_MODELS[0].name, 1);
/** @type {Promise<Answers>} */
const numbers = digits.isLoaded.then(() => new Answers(NUMBER_MODEL.name, threads)); // later: the first stroke needs digits

/** Return the models to choose from, the default first. */
export async function models() {
  return DIGIT_MODELS;
}

/**
 * Return the prediction for an image, as the service's module does: a Blob, or a function that returns one; for an array of
 * files, an array. Throws an Error with a sentence, or an AbortError.
 */
export function predict(image, { model = "", why = false, signal } = {}) {
  return forEach(image, (one) => digits.ask({ kind: "predict", model, why }, one, signal), signal);
}

/** Return the reading of an image, or of each of an array of files. `constraints` may have `allow`. */
export function read(image, constraints = {}, { signal } = {}) {
  const ask = async (one) => (await numbers).ask({ kind: "read", ...constraints }, one, signal);
  if (Array.isArray(image)) return forEach(image, ask, signal);
  return readOne(image, ask);
}

async function readOne(image, ask) {
  let blob = null;
  const reading = await ask(async () => (blob = typeof image === "function" ? await image() : image));
  remember(blob, reading, NUMBER_MODEL.thresholds.confidence);
  return reading;
}

/** Refuse forms, whose tool the site does not show: their alignment and PDF pages need the service. */
export const readForms = () => Promise.reject(new Error("Forms are read by the service alone."));
export const showSheet = readForms;

/** Return for how many days corrections are kept: not for one, as they stay in this tab. */
export const corrections = async () => ({ days: 0 });

/** Keep what an answer about an image should have been, and return the receipt that `withdraw` takes. */
export const correct = async (image, { label, box }) => keep(await image(), label, box);

/** Forget a correction by its receipt. */
export const withdraw = forget;

/** Answer about one image, or about each of several: one that is refused has an `error`. */
function forEach(image, ask, signal) {
  if (!Array.isArray(image)) return ask(image);
  const refused = (file) => (error) => {
    signal?.throwIfAborted();
    return { file: file.name, error: { detail: error.message } };
  };
  return Promise.all(image.map((file) => ask(file).catch(refused(file))));
}

// Progress

const came = new Map(); // bytes of each file
const awaited = [RUNTIME, DIGIT_MODELS[0]]; // what the first prediction needs
const bar = element("progress", "loading");
bar.ariaLabel = "Loading the reader";
document.body.append(bar);
digits.isLoaded.then(() => bar.remove());

function showProgress({ file, came: more }) {
  came.set(file, (came.get(file) ?? 0) + more);
  const total = (of) => awaited.reduce((sum, each) => sum + of(each), 0);
  Object.assign(bar, { max: total(({ bytes }) => bytes), value: total((each) => came.get(each.file) ?? 0) });
}

// Offline

/** Let the service worker keep the site once everything is loaded; where the browser refuses, the site needs a network. */
async function keepSite() {
  await (await numbers).isLoaded;
  await navigator.serviceWorker?.register("sw.js").catch(() => {});
}

keepSite();
