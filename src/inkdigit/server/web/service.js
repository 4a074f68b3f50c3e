/**
 * The service: asked until it answers; meanwhile the form says why that takes long.
 *
 * An answer's probabilities are in the order of its model's labels, which the service tells with the models alone: so
 * the models are kept, and asked for anew where an answer does not fit them.
 */

import { $, say } from "./form.js";

const RETRY = 2000; // ms until the service is asked again when it is away
const SLOW = 6000; // ms after which the wait is explained
const ATTEMPTS = 3; // to get an answer that fits the models: they are exchanged worker by worker

/** @type {Promise<{name: string, labels: string[]}[]>} */
let models = Promise.resolve([]);

/** What the service refused, in its own sentence. */
export class Refusal extends Error {}

/** Wait, or until the signal ends the wait. */
export function sleep(ms, signal) {
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
export async function ask(path, makeBody, signal) {
  for (let isWaiting = false; ; isWaiting = true) {
    signal?.throwIfAborted();
    const init = makeBody ? { method: "POST", body: await makeBody(), signal } : { signal };
    const slow = setTimeout(() => {
      isWaiting = true;
      say("The service takes long to answer. Waiting…");
    }, SLOW);
    const reply = await fetch(path, init)
      .catch((error) => (signal?.aborted ? Promise.reject(error) : null))
      .finally(() => clearTimeout(slow)); // an answer that nobody waits for any more, too
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

/** Ask the service for its models, the default first. */
export function askModels() {
  models = ask("v1/models").then((reply) => reply.models);
  return models;
}

/** Ask the service to read pictures, and give its answers, each with its model's `labels`. */
export async function askAnswers(path, makeBody, signal) {
  for (let left = ATTEMPTS; left > 0; left--) {
    const reply = await ask(path, makeBody, signal);
    const answers = reply.results ?? [reply];
    const known = await models.catch(() => []);
    const labelled = labelledBy(known, answers) ?? labelledBy(await askModels(), answers);
    if (labelled) return labelled;
  }
  throw new Error("The answers do not fit the service's models.");
}

function labelledBy(known, answers) {
  const labelled = answers.map((answer) => (answer.error ? answer : { ...answer, labels: labelsOf(answer, known) }));
  return labelled.every(({ error, labels }) => error || labels) ? labelled : null;
}

/** Give the labels of an answer's probabilities; none where its model is no longer as it was known. */
function labelsOf({ model, probabilities, digit }, known) {
  const labels = known.find(({ name }) => name === model.name)?.labels ?? [];
  const first = labels[probabilities.indexOf(Math.max(...probabilities))];
  return labels.length === probabilities.length && isCalled(first, digit) ? labels : null;
}

/** Tell whether an answer's digit is a label: a number where that is "7", "07" or "٧", or else the label itself. */
function isCalled(label, digit) {
  if (typeof digit === "string") return label === digit;
  return /^\p{Nd}+$/u.test(label) && [digit, NaN].includes(Number(label));
}

export function query(more = "") {
  const model = $("model-choice").hidden ? "" : $("model").value;
  const parts = [more, model && `model=${encodeURIComponent(model)}`].filter(Boolean);
  return parts.length ? `?${parts.join("&")}` : "";
}

/** Pack files; their bytes tell the service what they are, whatever their names and types say. */
export function packed(files) {
  const form = new FormData();
  files.forEach((file) => form.append("files", file, file.name));
  return form;
}
