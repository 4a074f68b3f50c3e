/**
 * A worker that answers from one kind of model: it decodes pictures, runs the graph, and makes of its output what the
 * service would answer. service.js starts it and sends it one job at a time.
 *
 * @typedef {{file: string, bytes: number}} Packed a file that is compressed with gzip, and its compressed length
 */

import { NUMBER_MODEL, DIGIT_MODELS, RUNTIME } from "../contracts.js";
import { constraintsOf, restrict } from "./constraints.js";
import { findNumbers } from "./layout.js";
import { product } from "./numeric.js";
import { PREDICT_SIDE, READ_SIDE, loadPixels } from "./pixels.js";
import { blank, frameColours, occlusion, occlusionColours, predictionOf, predictPixels } from "./recognizer.js";
import * as ort from "../runtime/ort.wasm.bundle.min.mjs";

const SITE = new URL("../", import.meta.url); // the build's folder
const PACKED = /\.packed$/;

/** @type {Map<string, Promise<{contract: object, session: ort.InferenceSession}>>} */
const opened = new Map();
let runtime = null; // a promise, once it is loaded
let isKept = false; // a service worker answers this worker's requests
let threads = 1;

// Loading

/** Return a model by its name, opened on first use. */
function open(contract) {
  if (!opened.has(contract.name)) opened.set(contract.name, start(contract));
  opened.get(contract.name).catch(() => opened.delete(contract.name)); // so that a later job tries again
  return opened.get(contract.name);
}

async function start(contract) {
  const [, model] = await Promise.all([startRuntime(), load(contract)]);
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return { contract, session };
}

/** Load the runtime, unless the service worker keeps it: then the browser also keeps what it has compiled of it. */
function startRuntime() {
  runtime ??= (async () => {
    const url = new URL(RUNTIME.file, SITE).href.replace(PACKED, "");
    ort.env.wasm.numThreads = threads;
    ort.env.logLevel = "error";
    if (isKept && (await caches.match(url))) {
      ort.env.wasm.wasmPaths = { wasm: url };
      postMessage({ file: RUNTIME.file, came: RUNTIME.bytes });
    } else {
      ort.env.wasm.wasmBinary = await load(RUNTIME);
    }
  })();
  runtime.catch(() => (runtime = null));
  return runtime;
}

/** Load a file, and report how much of it has come. It is compressed, because not every web server compresses. */
async function load({ file }) {
  const response = await fetch(new URL(file, SITE), { cache: "force-cache" }); // it never changes
  if (!response.ok) throw new TypeError(`${file} is not there (${response.status}).`);
  const counted = new TransformStream({
    transform(chunk, controller) {
      postMessage({ file, came: chunk.length });
      controller.enqueue(chunk);
    },
  });
  const content = response.body.pipeThrough(counted).pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(content).arrayBuffer());
}

// Answers

/** Return the prediction for an image, as `/v1/predict` answers with the frame; with `why`, also the occlusion map. */
async function predict({ blob, model, why }) {
  const contract = DIGIT_MODELS.find(({ name }) => name === model) ?? DIGIT_MODELS[0];
  const picture = await loadPixels(blob, PREDICT_SIDE);
  const { session } = await open(contract);
  const run = (pictures) => runDigits(session, pictures);
  const [output] = await predictPixels(run, contract, [picture]);
  if (output === null) throw blank();
  const answer = { ...predictionOf(output, contract), frame: await dataUrl(frameColours(output.frame)) };
  if (why) answer.why = await dataUrl(occlusionColours(await occlusion(run, contract, output)));
  return answer;
}

/** Run the graph on pictures of one size. */
async function runDigits(session, pictures) {
  const [{ width, height }, count] = [pictures[0], pictures.length];
  const { probabilities, frame, digitness } = await runGraph(session, pictures, [count, height, width]);
  const part = (values, place) => values.slice((place * values.length) / count, ((place + 1) * values.length) / count);
  return pictures.map((_, place) => ({
    probabilities: [...part(probabilities, place)],
    frame: part(frame, place),
    digitness: digitness[place],
  }));
}

/** Return the reading of an image, as `/v1/read` answers. */
async function read({ blob, ...known }) {
  const { reduction, ...picture } = await loadPixels(blob, READ_SIDE);
  const { name, version, labels, thresholds, calibration } = NUMBER_MODEL;
  const { allow, decode } = constraintsOf(labels, known);
  const { session } = await open(NUMBER_MODEL);
  const output = await runGraph(session, [picture], [1, picture.height, picture.width]);
  const numbers = findNumbers(candidatesOf(output, reduction, labels, allow), labels, calibration, decode);
  const rows = Map.groupBy(numbers, ({ row }) => row);
  return {
    text: [...rows.values()].map((row) => row.map(({ text }) => text).join(" ")).join("\n"),
    confidence: product(numbers.map(({ confidence }) => confidence)),
    is_sure: numbers.every(({ confidence, is_match: isMatch }) => confidence >= thresholds.confidence && isMatch !== false),
    numbers,
    model: { name, version },
    ...(output.truncated[0] && { is_truncated: true }),
  };
}

/** Return the graph's candidates, with boxes in px of the picture of which one pixel stands for `reduction`. */
function candidatesOf({ boxes, probabilities, is_mark: isMark }, reduction, labels, allow) {
  return [...isMark].map((mark, place) => {
    const shares = [...probabilities.slice(place * labels.length, (place + 1) * labels.length)];
    return {
      box: [...boxes.slice(4 * place, 4 * place + 4)].map((value) => value * reduction),
      shares: allow === undefined ? shares : restrict(shares, labels, allow),
      isMark: Boolean(mark),
    };
  });
}

async function runGraph(session, pictures, shape) {
  const pixels = new Uint8Array(shape.reduce((size, side) => size * side, 1));
  pictures.forEach(({ data }, place) => pixels.set(data, place * data.length));
  const outputs = await session.run({ pixels: new ort.Tensor("uint8", pixels, shape) });
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
}

async function dataUrl(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  const png = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  return `data:image/png;base64,${btoa(String.fromCharCode(...png))}`;
}

// Jobs

const JOBS = {
  predict,
  read,
  load: async (job) => {
    ({ isKept, threads } = job);
    await open([...DIGIT_MODELS, NUMBER_MODEL].find(({ name }) => name === job.model));
  },
};

self.onmessage = async ({ data: { kind, ...job } }) => {
  try {
    postMessage({ answer: await JOBS[kind](job) });
  } catch (error) {
    postMessage({ error: { detail: error.message, code: error.code ?? "" }, isOurs: Boolean(error.code) });
  }
};
