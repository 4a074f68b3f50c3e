/** What numpy and Python have, and JavaScript lacks. */

export const range = (count) => Array.from({ length: count }, (_, place) => place);

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export const product = (values) => values.reduce((total, value) => total * value, 1);

/** Return a sorted copy. Sorting is stable. */
export const sorted = (values, compare) => [...values].sort(compare);

/** Return the place of the greatest value, the first of equal ones; -1 where there is none. */
export function argmax(values) {
  return values.reduce((best, value, place) => (best < 0 || value > values[best] ? place : best), -1);
}

/** Return the median, the mean of the two in the middle where their number is even. */
export function median(values) {
  const ordered = sorted(values, (one, other) => one - other);
  const middle = ordered.length / 2;
  return (ordered[Math.ceil(middle) - 1] + ordered[Math.floor(middle)]) / 2;
}

/** Round to the nearest integer, halves to the even one, as Python's `round` and numpy's `rint` do. */
export function roundToEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/** Return whether a text is decimal digits alone, of any script. */
export const isDecimal = (text) => /^\p{Nd}+$/u.test(text);
