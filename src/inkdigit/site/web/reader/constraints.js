/** What a caller knows of the numbers beforehand: constraints.py in JavaScript. */

import { fromPattern, fromTexts, ofShape, SPACE } from "./automaton.js";
import { decode, totalOf } from "./decoding.js";
import { sum } from "./numeric.js";
import { InputError } from "./pixels.js";

export const OTHER = "other"; // the label of what is no symbol
const POSSIBLE = 0.05; // the probability of a symbol under which the model itself reports no candidate
const MAX_CHARACTERS = 400_000; // of all choices
const MAX_CHOICE = 64; // characters of one choice
// How much less probable a number that breaks the constraint is than one that keeps it, before anything is seen.
const ODDS_OF_PATTERN = 0.001;
const ODDS_OF_CHOICES = 0.01;

const refusal = (sentence) => new InputError(sentence, "bad_constraint");

/**
 * Return what numbers must be: `allow`, and with a pattern or choices `decode`, a function that returns the most probable
 * match of slots with its probability, or null where none of these is the most probable. `choices` are a text, one a line.
 * Throws InputError where it cannot be.
 */
export function constraintsOf(labels, { allow, pattern, choices }) {
  if (pattern !== undefined && choices !== undefined) throw refusal("A pattern and choices cannot be given together.");
  const symbols = labels.filter((label) => label !== OTHER).join("");
  if (allow !== undefined) checkAllow(allow, labels);
  if (choices !== undefined) {
    const texts = checkChoices(choices.split(/\r\n|\r|\n/), symbols + SPACE);
    const [listed, shape] = [fromTexts(texts), ofShape(texts)];
    const none = (found, slots) => ODDS_OF_CHOICES * Math.max(totalOf(slots, shape) - found.total, 0);
    return { allow, decode: decoder(listed, none) };
  }
  if (pattern === undefined) return { allow };
  return { allow, decode: decoder(fromPattern(pattern, symbols + SPACE), ({ total }) => ODDS_OF_PATTERN * Math.max(1 - total, 0)) };
}

/** Return the function that decodes slots; `noneOf` returns the probability of "none of these" beside what was found. */
function decoder(automaton, noneOf) {
  return (slots) => {
    const found = decode(slots, automaton);
    if (!found) return null;
    const none = noneOf(found, slots);
    return found.probability > none ? { match: found, probability: found.probability / (found.total + none) } : null;
  };
}

/** Return the choices without the blank ones. Throws InputError. */
function checkChoices(choices, characters) {
  const texts = choices.map((choice) => choice.trim()).filter(Boolean);
  if (!texts.length || sum(texts.map(({ length }) => length)) > MAX_CHARACTERS)
    throw refusal(`The choices must have 1 to ${MAX_CHARACTERS.toLocaleString("en")} characters together.`);
  const wrong = texts.find((text) => text.length > MAX_CHOICE || [...text].some((sign) => !characters.includes(sign)));
  if (wrong === undefined) return texts;
  const shown = wrong.length > MAX_CHOICE ? `${wrong.slice(0, MAX_CHOICE)}…` : wrong;
  const signs = [...characters.trim()].join(" ");
  throw refusal(`The choice '${shown}' must have at most ${MAX_CHOICE} characters of ${signs}.`);
}

/** Return the allowed characters if they are one or more of the symbols among `labels`, else throw InputError. */
export function checkAllow(allow, labels) {
  const symbols = labels.filter((label) => label !== OTHER);
  if (typeof allow === "string" && allow && [...allow].every((sign) => symbols.includes(sign))) return allow;
  throw refusal(`The allowed characters must be one or more of ${symbols.join(" ")}.`);
}

/** Return the probabilities of a candidate given that only the characters `allow`, or no symbol, can occur. */
export function restrict(shares, labels, allow) {
  const allowed = shares.map((share, place) => (allow.includes(labels[place]) ? share : 0));
  if (sum(allowed) < POSSIBLE) return labels.map((label) => Number(label === OTHER));
  const kept = allowed.map((share, place) => (labels[place] === OTHER ? shares[place] : share));
  const total = sum(kept);
  return kept.map((share) => Math.fround(share / total));
}
