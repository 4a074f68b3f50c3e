/**
 * The form under an answer by which a person says what is right. Nothing is sent before, and nothing at all where the
 * service has no store.
 *
 * @typedef {{name: string, box: number[] | null, answer: object}} Part what can be corrected: a digit, a number, or one
 *   symbol of it. `answer` is as much of the service's answer as a correction needs; `box` is null for a digit.
 */

import { $, element, isLong } from "./form.js";
import { correct, corrections, withdraw } from "./service.js";

const SYMBOLS = [..."0123456789.,-/"];
const MAX_CHOICES = 20; // labels that have a button each; more are typed

/** @type {Part[]} */
let parts = [];
let labels = []; // of the model that predicted last
let picture = null; // returns the image that was answered
let receipt = null; // of the correction that was sent last

/** Show the form if the service stores corrections, and say for how long; `known` are the labels of its first model. */
export async function offerCorrections(known) {
  labels = known;
  const policy = await corrections();
  $("correction").hidden = !policy;
  $("days").textContent = policy ? `${policy.days} day${policy.days === 1 ? "" : "s"}` : "";
  show();
}

/** Let an answer be corrected, as `predict` or `read` returned it; `image` returns its image. Null: no answer. */
export function showCorrection(answer, image = null) {
  picture = image;
  labels = answer?.labels ?? labels;
  parts = !answer ? [] : answer.numbers ? partsOf(answer) : [{ name: `${answer.digit}`, box: null, answer: briefly(answer) }];
  $("part").replaceChildren(...parts.map(({ name }, place) => new Option(name, place)));
  show();
}

const briefly = ({ digit, confidence, model }) => ({ digit, confidence, model });

/** Return the numbers of a reading, and after them their symbols. */
function partsOf({ numbers, model }) {
  const whole = numbers.map((number) => ({ name: number.text, box: number.box, answer: { numbers: [number], model } }));
  const symbols = numbers.flatMap((number) => number.symbols.map((symbol, place) => ({
    name: `${symbol.text}, ${place + 1} of ${number.symbols.length} in ${number.text}`,
    box: symbol.box,
    answer: { numbers: [number], model },
  })));
  return [...whole, ...symbols];
}

/** Return whether the chosen part is a whole number, which is typed. */
const isNumber = () => Boolean(chosen()?.box && chosen().answer.numbers[0].box === chosen().box);
const chosen = () => parts[Number($("part").value || 0)];

function show() {
  const isTyped = isNumber() || labels.length > MAX_CHOICES;
  $("part-choice").hidden = parts.length < 2;
  $("labels").hidden = isTyped;
  $("typed").hidden = !isTyped;
  $("right").value = isNumber() ? chosen().name : "";
  $("labels").classList.toggle("named", labels.some(isLong));
  $("labels").replaceChildren(...(isTyped ? [] : (chosen()?.box ? SYMBOLS : labels).map(choiceOf)));
}

function choiceOf(label) {
  const made = Object.assign(element("button", "", label), { type: "button", disabled: !chosen() });
  made.addEventListener("click", () => send(label));
  return made;
}

/** Send what is right, and offer to take it back. */
async function send(label) {
  const part = chosen();
  if (!part || !label.trim()) return;
  const image = picture;
  showCorrection(null); // a second click would send it twice
  try {
    receipt = await correct(image, { label, reading: part.answer, box: part.box });
    tell(`Stored: ${label}. Thank you.`);
  } catch (error) {
    receipt = null;
    tell(error.message);
  }
}

async function takeBack() {
  const taken = receipt;
  receipt = null;
  try {
    await withdraw(taken);
    tell("Deleted again.");
  } catch (error) {
    tell(error.message);
  }
}

function tell(sentence) {
  $("sent").textContent = sentence;
  $("take-back").hidden = !receipt;
}

/** Take a label's own key for a click on it, unless something is typed into a field. */
function onKey(event) {
  const isTyped = event.target.closest?.("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey;
  if (isTyped || $("correction").hidden || $("labels").hidden || !chosen()) return;
  if ([...$("labels").children].some(({ textContent }) => textContent === event.key)) send(event.key);
}

export function listenToCorrections() {
  $("part").addEventListener("change", show);
  $("take-back").addEventListener("click", takeBack);
  $("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    send($("right").value);
  });
  document.addEventListener("keydown", onKey);
}
