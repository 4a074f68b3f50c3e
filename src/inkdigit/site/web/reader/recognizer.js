/**
 * Pixels to predictions: what recognizer.py, prediction.py and explain.py do around the graph, in JavaScript. Change both.
 *
 * @typedef {{data: Uint8Array, width: number, height: number}} Pixels gray, of either polarity
 * @typedef {{name: string, version: string, labels: string[], thresholds: {digitness: number, confidence: number}}} Contract
 * @typedef {{probabilities: number[], frame: Float32Array, digitness: number}} Output of the graph for one picture
 * @typedef {(pictures: Pixels[]) => Promise<Output[]>} Run the graph on pictures of one size
 */

import { argmax, isDecimal, range, roundToEven, sum } from "./numeric.js";
import { InputError } from "./pixels.js";

const MARGIN = 0.05; // of a picture's sides: what other views of it leave out, or add, all around
const PICTURES_PER_CALL = 32;
const [SIDE, PATCH, STEP] = [28, 7, 3]; // px: of a frame; of it that are hidden at a time; from one patch to the next
const FLOOR = 0.01; // a fall in probability that is drawn at full strength at least, so that no noise is

/**
 * Return the output for each of some pictures of one size; null stands for a blank.
 *
 * Test-time augmentation: pictures whose prediction is not sure are predicted in three other views, and the mean counts.
 *
 * @param {Run} run
 * @param {Contract} contract
 * @param {Pixels[]} pictures
 * @returns {Promise<(Output | null)[]>}
 */
export async function predictPixels(run, { thresholds }, pictures) {
  const outputs = await inChunks(run, pictures);
  const isUnsure = ({ digitness, probabilities }) => digitness > 0 && Math.max(...probabilities) < thresholds.confidence;
  const unsure = range(outputs.length).filter((place) => isUnsure(outputs[place]));
  if (!unsure.length) return outputs.map(unlessBlank);
  const others = [];
  for (const view of VIEWS) others.push(await inChunks(run, unsure.map((place) => view(pictures[place]))));
  unsure.forEach((place, each) => (outputs[place] = mean([outputs[place], ...others.map((view) => view[each])])));
  return outputs.map(unlessBlank);
}

const unlessBlank = (output) => (output.digitness === 0 ? null : output);

async function inChunks(run, pictures) {
  const outputs = [];
  for (let start = 0; start < pictures.length; start += PICTURES_PER_CALL)
    outputs.push(...(await run(pictures.slice(start, start + PICTURES_PER_CALL))));
  return outputs;
}

/** Other views of a picture: as a negative, without its margins, and as a negative with wider ones. */
const VIEWS = [
  negative,
  (picture) => framed(picture, -roundToEven(MARGIN * picture.width), -roundToEven(MARGIN * picture.height)),
  (picture) => negative(framed(picture, roundToEven(MARGIN * picture.width), roundToEven(MARGIN * picture.height))),
];

function negative({ data, width, height }) {
  return { data: data.map((level) => 255 - level), width, height };
}

/** Add margins of `x` and `y` px, which repeat the edge; negative ones are cut off. */
function framed({ data, width, height }, x, y) {
  const [wide, high] = [width + 2 * x, height + 2 * y];
  const inside = (place, end) => Math.min(Math.max(place, 0), end - 1);
  const columns = range(wide).map((place) => inside(place - x, width));
  const pixels = new Uint8Array(wide * high);
  for (let row = 0; row < high; row++) {
    const start = inside(row - y, height) * width;
    for (let column = 0; column < wide; column++) pixels[row * wide + column] = data[start + columns[column]];
  }
  return { data: pixels, width: wide, height: high };
}

/** Return the mean of outputs for one picture, but for those that find no ink; the frame is that of the surest one. */
function mean(outputs) {
  const inked = outputs.filter(({ digitness }) => digitness > 0);
  const share = (label) => sum(inked.map(({ probabilities }) => probabilities[label])) / inked.length;
  const probabilities = range(outputs[0].probabilities.length).map((label) => Math.fround(share(label)));
  const best = argmax(probabilities);
  const { frame } = inked[argmax(inked.map((output) => output.probabilities[best]))];
  return { probabilities, frame, digitness: Math.fround(sum(inked.map(({ digitness }) => digitness)) / inked.length) };
}

/** Return a prediction as `/v1/predict` answers, without the frame. */
export function predictionOf({ probabilities, digitness }, { name, version, labels, thresholds }) {
  const place = argmax(probabilities);
  const confidence = probabilities[place];
  return {
    digit: isDecimal(labels[place]) ? Number(labels[place]) : labels[place],
    confidence,
    probabilities,
    is_digit: digitness >= thresholds.digitness,
    digitness,
    is_sure: confidence >= thresholds.confidence,
    model: { name, version },
    labels,
  };
}

/** Return the error of a picture without ink. */
export const blank = () => new InputError("Nothing is drawn on the picture.", "blank_image");

/**
 * Return the occlusion map: how far the prediction's probability falls where the frame is hidden, 0 not at all to 1.
 *
 * Every pixel has the mean of the patches that hide it.
 */
export async function occlusion(run, contract, { frame, probabilities }) {
  const levels = Uint8Array.from(frame, (ink) => roundToEven(ink * 255));
  const patches = everyPatch().filter((patch) => patch.some((place) => levels[place]));
  const frames = [levels, ...patches.map((patch) => hide(levels, patch))];
  const pictures = frames.map((data) => ({ data, width: SIDE, height: SIDE }));
  const best = argmax(probabilities);
  const outputs = await predictPixels(run, contract, pictures);
  const [whole, ...hidden] = outputs.map((output) => output?.probabilities[best] ?? 0); // 0: hiding has left no ink
  const [falls, counts] = [new Float32Array(levels.length), new Float32Array(levels.length)];
  patches.forEach((patch, each) => patch.forEach((place) => (falls[place] += Math.max(0, whole - hidden[each]))));
  everyPatch().flat().forEach((place) => counts[place]++);
  return falls.map((fall, place) => fall / Math.max(counts[place], 1));
}

/** Return the places of each patch's pixels in the frame. */
function everyPatch() {
  const starts = range(Math.floor((SIDE - PATCH) / STEP) + 1).map((place) => place * STEP);
  const offsets = range(PATCH * PATCH).map((place) => Math.floor(place / PATCH) * SIDE + (place % PATCH));
  const patch = (top, left) => offsets.map((offset) => top * SIDE + left + offset);
  return starts.flatMap((top) => starts.map((left) => patch(top, left)));
}

function hide(levels, patch) {
  const copy = levels.slice();
  patch.forEach((place) => (copy[place] = 0));
  return copy;
}

/** Return a frame as RGBA: ink bright on black, as the network sees it. */
export const frameColours = (frame) => rgba(frame, (ink) => [...Array(3).fill(roundToEven(ink * 255)), 255]);

/** Return an occlusion map as RGBA that can lie over the frame: the more opaque, the more the answer rests on the place. */
export function occlusionColours(falls) {
  const most = Math.max(...falls, FLOOR);
  return rgba(falls, (fall) => [0, 0, 0, roundToEven((fall / most) * 255)]);
}

const rgba = (values, colour) => new ImageData(Uint8ClampedArray.from([...values].flatMap(colour)), SIDE, SIDE);
