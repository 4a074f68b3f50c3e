/** The form: what an answer is called, and how it is shown. It knows nothing of strokes, files or the service. */

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

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

/** Say in words how far an answer can be trusted. */
export function verdictOf(answer) {
  const [first, second] = answer.probabilities.map((share, digit) => [share, digit]).sort(([a], [b]) => b - a);
  if (!answer.is_digit) return `Not a digit. The nearest would be ${WORDS[first[1]]}.`;
  if (!answer.is_sure) return `Not sure. Perhaps ${WORDS[first[1]]}, or ${WORDS[second[1]]}.`;
  return `A clear ${WORDS[answer.digit]}.`;
}

/** Fill in the form; null empties it. */
export function showAnswer(answer) {
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
export function showSight(answer) {
  const picture = $("picture").src || $("canvas").toDataURL("image/png");
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

export function makeBars() {
  $("bars").append(...WORDS.map((_, digit) => element("li", "", element("i"), `${digit}`, element("span", "said"))));
}
