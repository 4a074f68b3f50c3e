/** What a caller knows of the numbers beforehand: constraints.py in JavaScript. */

import { sum } from "./numeric.js";
import { InputError } from "./pixels.js";

export const OTHER = "other"; // the label of what is no symbol
const POSSIBLE = 0.05; // the probability of a symbol under which the model itself reports no candidate

/** Return the allowed characters if they are one or more of the symbols among `labels`, else throw InputError. */
export function checkAllow(allow, labels) {
  const symbols = labels.filter((label) => label !== OTHER);
  if (typeof allow === "string" && allow && [...allow].every((sign) => symbols.includes(sign))) return allow;
  throw new InputError(`The allowed characters must be one or more of ${symbols.join(" ")}.`, "bad_constraint");
}

/** Return the probabilities of a candidate given that only the characters `allow`, or no symbol, can occur. */
export function restrict(shares, labels, allow) {
  const allowed = shares.map((share, place) => (allow.includes(labels[place]) ? share : 0));
  if (sum(allowed) < POSSIBLE) return labels.map((label) => Number(label === OTHER));
  const kept = allowed.map((share, place) => (labels[place] === OTHER ? shares[place] : share));
  const total = sum(kept);
  return kept.map((share) => Math.fround(share / total));
}
