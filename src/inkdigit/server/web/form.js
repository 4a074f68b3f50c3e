/**
 * The form that shows an answer, and the sentences on it. It knows nothing of strokes, files or the service.
 *
 * @typedef {{digit: number | string, probabilities: number[], labels: string[]}} Prediction as `/v1/predict` answers, with
 *   its model's labels in the order of the probabilities: the ten digits, or any others, in any order
 */

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const BARS_PER_ROW = 10; // that fit on the smallest phone
const MAX_ROWS = 5; // of upright bars; for more labels the bars become a list

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

/** Show a prediction in the form; null empties it. */
export function showPrediction(answer) {
  const isDigit = answer?.is_digit ?? true;
  const verdict = answer ? verdictOf(answer) : "";
  showDigit(`${answer?.digit ?? ""}`);
  $("digit-label").textContent = isDigit ? "Digit" : "Nearest digit";
  $("confidence").textContent = answer ? percent(answer.confidence) : "";
  $("confidence-label").textContent = isDigit ? "Confidence" : "Confidence, if it is one";
  if ($("verdict").textContent !== verdict) $("verdict").textContent = verdict; // a screen reader does not repeat the same sentence
  $("form").className = `form ${answer ? trustIn(answer) : ""}`;
  $("preview").hidden = !answer;
  if (answer) $("preview").src = answer.frame;
  else $("preview").removeAttribute("src");
  showBars(answer);
  if ($("explanation").open) showExplanation(answer);
}

/** Show the digit, or a label's name in a size at which its longest word fits. */
function showDigit(digit) {
  const letters = digit.split(/[\s-]+/).map((word) => [...word].length);
  $("digit").textContent = digit;
  $("digit").style.setProperty("--letters", Math.max(1, ...letters));
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
  if (answer) showLabels(answer.labels);
  const order = answer ? ranked(answer).map(({ place }) => place) : [];
  [...$("bars").children].forEach((bar, place) => {
    const share = answer?.probabilities[place] ?? 0;
    const rank = order.indexOf(place);
    bar.classList.toggle("first", rank === 0);
    bar.style.setProperty("--rank", rank);
    bar.firstChild.style.setProperty("--share", share.toFixed(4));
    bar.lastChild.textContent = answer ? `: ${percent(share)}` : "";
  });
}

/** Make a bar for each of a model's labels: upright in rows of equal length, or a list where names are long. */
export function showLabels(labels) {
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
