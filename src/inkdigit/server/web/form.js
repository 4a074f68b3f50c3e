/**
 * The form: what an answer is called, and how it is shown. It knows nothing of strokes, files or the service.
 *
 * @typedef {{digit: number | string, probabilities: number[], labels: string[]}} Answer the service's, with its model's
 *   labels in the order of the probabilities: the ten digits, or any others, in any order
 */

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const ROW = 10; // bars that stand side by side on the smallest phone
const ROWS = 5; // of bars; more are a list

export const $ = (id) => document.getElementById(id);

export function element(name, className = "", ...content) {
  const made = Object.assign(document.createElement(name), { className });
  made.append(...content);
  return made;
}

export function say(sentence) {
  $("error").textContent = sentence;
  $("verdict").hidden = sentence !== "";
}

/** Give a probability as a percentage that never claims to be certain. */
export function percent(share) {
  return share < 0.9995 ? `${(100 * share).toFixed(1)} %` : `${Math.min(100 * share, 99.99).toFixed(2)} %`;
}

/** Give the class of an answer's colours. */
export const trustIn = (answer) => (!answer.is_digit ? "no-digit" : answer.is_sure ? "sure" : "unsure");

/** Give an answer's labels with their shares and places, the likeliest first. */
function ranked({ probabilities, labels }) {
  const all = labels.map((label, place) => ({ label, share: probabilities[place], place }));
  return all.sort((a, b) => b.share - a.share);
}

const spoken = (label) => (/^\d+$/.test(label) && WORDS[Number(label)]) || label;

/** Tell whether a label needs more room than a character or a number. */
export const isLong = (label) => !/^(.|\d\d)$/u.test(label);

/** Say in words how far an answer can be trusted. */
export function verdictOf(answer) {
  const [first, second] = ranked(answer).map(({ label }) => spoken(label));
  if (!answer.is_digit) return `Not a digit. The nearest would be ${first}.`;
  if (!answer.is_sure) return `Not sure. Perhaps ${first}, or ${second}.`;
  return `A clear ${first}.`;
}

/** Fill in the form; null empties it. */
export function showAnswer(answer) {
  const isDigit = answer?.is_digit ?? true;
  const verdict = answer ? verdictOf(answer) : "";
  showDigit(`${answer?.digit ?? ""}`);
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

/** Show the digit, or a label's name, so small that its longest word has room. */
function showDigit(digit) {
  const letters = digit.split(/[\s-]+/).map((word) => [...word].length);
  $("digit").textContent = digit;
  $("digit").style.setProperty("--letters", Math.max(1, ...letters));
}

/** Show the answer's way: picture, frame, why, and the likeliest digits; null empties it. */
export function showSight(answer) {
  const picture = $("picture").src || $("canvas").toDataURL("image/png");
  for (const [id, source] of [["sees-picture", picture], ["sees-frame", answer?.frame], ["sees-under", answer?.frame]]) {
    $(id).hidden = !answer;
    if (answer) $(id).src = source;
    else $(id).removeAttribute("src");
  }
  $("why").hidden = !answer?.why;
  if (answer?.why) $("why").style.setProperty("--why", `url(${answer.why})`);
  const likeliest = answer ? ranked(answer).slice(0, 5) : [];
  const lines = likeliest.map(({ label, share }) => element("li", "", nameOf(label), percent(share)));
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

/** Make a bar for each of a model's labels: standing in rows of equal length, or lying where names are long. */
export function showLabels(labels) {
  const bars = $("bars");
  if (bars.dataset.labels === JSON.stringify(labels)) return;
  bars.dataset.labels = JSON.stringify(labels);
  const rows = Math.ceil(labels.length / ROW);
  const isNamed = labels.some(isLong) || rows > ROWS;
  bars.className = `bars ${isNamed ? "named" : ""} ${rows > 1 ? "many" : ""}`;
  if (isNamed && rows > 1) bars.tabIndex = 0; // it is scrolled, by the keyboard too
  else bars.removeAttribute("tabindex");
  bars.style.setProperty("--columns", Math.ceil(labels.length / rows));
  bars.replaceChildren(...labels.map(barOf));
}

const barOf = (label) => element("li", "", element("i"), nameOf(label), element("span", "said"));

/** Make a label that shows its whole name to a mouse, where there is no room for it. */
const nameOf = (label) => Object.assign(element("span", "name", label), { title: isLong(label) ? label : "" });
