/**
 * The form that shows an answer, and the sentences on it. It knows nothing of strokes, files or the service.
 *
 * @typedef {{digit: number | string, probabilities: number[], labels: string[]}} Prediction as `/v1/predict` answers, with
 *   its model's labels in the order of the probabilities: the ten digits, or any others, in any order
 * @typedef {{text: string, confidence: number, is_sure: boolean, numbers: Number[]}} Reading as `/v1/read` answers
 * @typedef {{text: string, confidence: number, box: number[], symbols: {text: string, confidence: number, box: number[]}[]}}
 *   Number with boxes as left, top, right, bottom in px of the image, upright
 */

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const BARS_PER_ROW = 10; // that fit on the smallest phone
const MAX_ROWS = 5; // of upright bars; for more labels the bars become a list

let modelLabels = []; // of the model that is chosen or answered last

export const $ = (id) => document.getElementById(id);

export function element(name, className = "", ...content) {
  const made = Object.assign(document.createElement(name), { className });
  made.append(...content);
  return made;
}

/** Return the name of the model that is chosen, or "" where there is no choice. */
export const chosenModel = () => ($("model-choice").hidden ? "" : $("model").value);

/** Show what went wrong, in place of the verdict; "" removes it. */
export function say(sentence) {
  $("error").textContent = sentence;
  $("verdict").hidden = sentence !== "";
}

/** Return a probability as a percentage that is never 100 %, as `percent` in prediction.py does. */
export function percent(share) {
  return share < 0.9995 ? `${(100 * share).toFixed(1)} %` : `${Math.min(100 * share, 99.99).toFixed(2)} %`;
}

/** Return the CSS class that colours a prediction. */
export const trustIn = (answer) => (answer.is_digit === false ? "no-digit" : answer.is_sure ? "sure" : "unsure");

/** Return the labels with their probabilities and places, the most probable first. */
function ranked({ probabilities, labels }) {
  const all = labels.map((label, place) => ({ label, share: probabilities[place], place }));
  return all.sort((a, b) => b.share - a.share);
}

const spoken = (label) => (/^\d+$/.test(label) && WORDS[Number(label)]) || label;

/** Return whether a label is wider than one character or two digits. */
export const isLong = (label) => !/^(.|\d\d)$/u.test(label);

/** Return a sentence that says how far to trust a prediction. `Prediction.verdict` in prediction.py has the same ones. */
export function verdictOf(answer) {
  const [first, second] = ranked(answer).map(({ label }) => spoken(label));
  if (!answer.is_digit) return `Not a digit. The nearest would be ${first}.`;
  if (!answer.is_sure) return `Not sure. Perhaps ${first}, or ${second}.`;
  return `A clear ${first}.`;
}

/**
 * Return whether a reading is shown in place of the digit: it has more than one symbol, and the prediction is not more
 * certain. `is_number` in demos/numbers.py has the same rule.
 */
export function isNumber(reading, { is_digit: isDigit, is_sure: isSure }) {
  if (!reading || reading.numbers.flatMap(({ symbols }) => symbols).length < 2) return false;
  return reading.is_sure || !(isDigit && isSure);
}

/** Return a sentence that says how far to trust a reading. `Reading.verdict` in reading.py has the same ones. */
export function readingVerdict({ numbers, is_sure: isSure }) {
  if (numbers.every(({ is_match: isMatch }) => isMatch === false)) return "No number matches.";
  if (numbers.length === 1) return isSure ? `A clear ${numbers[0].text}.` : `Not sure. Perhaps ${numbers[0].text}.`;
  return isSure ? `${numbers.length} numbers, all clear.` : `Not sure of all ${numbers.length} numbers.`;
}

/** Show a number in place of the digit: its text, and boxes on an image of `size` [width, height] that fills `part`. */
export function showNumber(reading, size, part) {
  const { numbers } = reading;
  const parts = numbers.length === 1 ? numbers[0].symbols : numbers;
  showPrediction(null);
  $("digit").hidden = true;
  $("number").hidden = false;
  showText($("number"), reading.text);
  $("digit-label").textContent = numbers.length === 1 ? "Number" : "Numbers";
  $("confidence").textContent = percent(reading.confidence);
  setVerdict(readingVerdict(reading));
  $("form").className = `form ${trustIn(reading)}`;
  $("bars-label").textContent = `Confidence by ${numbers.length === 1 ? "symbol" : "number"}`;
  makeBars(parts.map(({ text }) => text));
  $("bars").classList.add("scrolled"); // however many there are, they have the same room
  $("bars").tabIndex = 0; // scrollable by keyboard
  fillBars(parts.map(({ confidence }) => confidence), () => true);
  $("boxes").className = `boxes ${trustIn(reading)}`;
  showBoxes(numbers, size, part);
}

/** Draw boxes over the numbers and their symbols. The image is centred and fills `part` of the canvas's longest side. */
function showBoxes(numbers, [width, height], part) {
  const side = Math.max(width, height);
  const [wide, high] = [(100 * part * width) / side, (100 * part * height) / side];
  Object.assign($("boxes").style, { width: `${wide}%`, height: `${high}%` });
  const boxOf = ({ box: [left, top, right, bottom], text }, kind) => {
    const made = element("i", kind);
    made.dataset.text = text;
    const [x, y] = [100 / width, 100 / height];
    Object.assign(made.style, { left: `${left * x}%`, top: `${top * y}%` });
    Object.assign(made.style, { width: `${(right - left) * x}%`, height: `${(bottom - top) * y}%` });
    return made;
  };
  const symbols = numbers.flatMap((number) => (number.symbols.length > 1 ? number.symbols : []));
  const several = numbers.length > 1 ? " named" : "";
  $("boxes").replaceChildren(
    ...symbols.map((symbol) => boxOf(symbol, "symbol")),
    ...numbers.map((number) => boxOf(number, `number${several}`)),
  );
}

/** Show a prediction in the form; null empties it. */
export function showPrediction(answer) {
  const isDigit = answer?.is_digit ?? true;
  const verdict = answer ? verdictOf(answer) : "";
  $("number").hidden = true;
  $("number").textContent = "";
  $("boxes").replaceChildren();
  $("digit").hidden = false;
  showText($("digit"), `${answer?.digit ?? ""}`);
  $("digit-label").textContent = isDigit ? "Digit" : "Nearest digit";
  $("confidence").textContent = answer ? percent(answer.confidence) : "";
  $("confidence-label").textContent = isDigit ? "Confidence" : "Confidence, if it is one";
  setVerdict(verdict);
  $("form").className = `form ${answer ? trustIn(answer) : ""}`;
  $("preview").hidden = !answer;
  if (answer) $("preview").src = answer.frame;
  else $("preview").removeAttribute("src");
  $("bars-label").textContent = "Probability of each digit";
  showBars(answer);
  if ($("explanation").open) showExplanation(answer);
}

/** Show a digit, a number or a label's name in a size at which its longest word fits. */
function showText(place, text) {
  const letters = text.split(place.id === "digit" ? /[\s-]+/ : "\n").map((word) => [...word].length);
  place.textContent = text;
  place.style.setProperty("--letters", Math.max(1, ...letters));
  place.style.setProperty("--rows", text.split("\n").length);
}

function setVerdict(verdict) {
  if ($("verdict").textContent !== verdict) $("verdict").textContent = verdict; // a screen reader does not repeat it
}

/** Show how the prediction came about: image, frame, occlusion map and the most probable labels; null empties it. */
export function showExplanation(answer) {
  const image = $("image").src || $("canvas").toDataURL("image/png");
  for (const [id, source] of [["explained-image", image], ["explained-frame", answer?.frame], ["explained-why", answer?.frame]]) {
    $(id).hidden = !answer;
    if (answer) $(id).src = source;
    else $(id).removeAttribute("src");
  }
  $("why").hidden = !answer?.why;
  if (answer?.why) $("why").style.setProperty("--why", `url(${answer.why})`);
  const top = answer ? ranked(answer).slice(0, 5) : [];
  const lines = top.map(({ label, share }) => element("li", "", nameOf(label), percent(share)));
  $("ranks").replaceChildren(...lines);
  $("ranks").classList.toggle("named", Boolean(answer?.labels.some(isLong)));
}

function showBars(answer) {
  showLabels(answer?.labels ?? modelLabels);
  const order = answer ? ranked(answer).map(({ place }) => place) : [];
  fillBars(answer?.probabilities ?? [], (place) => order[0] === place);
  [...$("bars").children].forEach((bar, place) => bar.style.setProperty("--rank", order.indexOf(place)));
}

/** Set the bars' lengths to `shares` (0..1), none to empty them; `isFirst` tells by its place which bar is highlighted. */
function fillBars(shares, isFirst) {
  [...$("bars").children].forEach((bar, place) => {
    bar.classList.toggle("first", isFirst(place));
    bar.firstChild.style.setProperty("--share", (shares[place] ?? 0).toFixed(4));
    bar.lastChild.textContent = shares.length ? `: ${percent(shares[place])}` : "";
  });
}

/** Show an empty bar for each of a model's labels. */
export function showLabels(labels) {
  modelLabels = labels;
  $("bars").classList.remove("scrolled");
  makeBars(labels);
}

/** Make bars: upright in rows of equal length, or a list where names are long. */
function makeBars(labels) {
  const bars = $("bars");
  if (bars.dataset.labels === JSON.stringify(labels)) return;
  bars.dataset.labels = JSON.stringify(labels);
  const rows = Math.ceil(labels.length / BARS_PER_ROW);
  const isNamed = labels.some(isLong) || rows > MAX_ROWS;
  bars.className = `bars ${isNamed ? "named" : ""} ${rows > 1 ? "many" : ""}`;
  if (isNamed && rows > 1) bars.tabIndex = 0; // scrollable by keyboard
  else bars.removeAttribute("tabindex");
  bars.style.setProperty("--columns", Math.ceil(labels.length / rows));
  bars.replaceChildren(...labels.map(barOf));
}

const barOf = (label) => element("li", "", element("i"), nameOf(label), element("span", "said"));

/** Make a label; a long one has its whole name as a tooltip, as it may be cut off. */
const nameOf = (label) => Object.assign(element("span", "name", label), { title: isLong(label) ? label : "" });
