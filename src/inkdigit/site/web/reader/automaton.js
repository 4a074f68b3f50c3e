/**
 * Finite automata over the symbols of numbers: automaton.py in JavaScript. Change both; tests/site/ compares them.
 *
 * @typedef {{after: Map<string, number>[], accepting: Set<number>, lengths: [number, number][]}} Automaton the next state by
 *   symbol for each state, of which `START` is the first; and the lengths of the shortest and the longest text that lead from
 *   it to an accepting one
 */

import { parsePattern } from "./pattern.js";
import { InputError } from "./pixels.js";

export const SPACE = " "; // which stands in a mixed fraction alone
export const START = 0;
const MAX_STATES = 2000;
const MAX_TIME = 1000; // ms that building an automaton takes

/** Return the automaton of a list of texts, a prefix tree. */
export function fromTexts(texts) {
  const after = [new Map()];
  const accepting = new Set();
  for (const text of texts) {
    let state = START;
    for (const symbol of text) {
      const target = after[state].get(symbol) ?? after.length;
      if (target === after.length) {
        after[state].set(symbol, target);
        after.push(new Map());
      }
      state = target;
    }
    accepting.add(state);
  }
  return automaton(after, accepting);
}

/** Return the automaton of all texts that look like one of a list, with any digits in the places of its digits. */
export function ofShape(texts) {
  const shapes = fromTexts([...new Set(texts.map((text) => text.replace(/\d/g, "0")))].sort());
  for (const row of shapes.after) {
    if (row.has("0")) [..."0123456789"].forEach((digit) => row.set(digit, row.get("0")));
  }
  return shapes;
}

/** Return the automaton of a regular expression over `symbols`. Throws InputError. */
export function fromPattern(pattern, symbols) {
  const states = new States(parsePattern(pattern, symbols), [...symbols]);
  const found = [states.start];
  const numbers = new Map([[keyOf(states.start), START]]);
  const after = [];
  for (const state of found) { // which grows meanwhile
    after.push(new Map());
    for (const { reached, following } of states.steps(state)) {
      const key = keyOf(following);
      if (!numbers.has(key)) {
        numbers.set(key, found.length);
        found.push(following);
      }
      reached.forEach((symbol) => after.at(-1).set(symbol, numbers.get(key)));
    }
    if (found.length > MAX_STATES) throw tooComplex();
  }
  return useful(after, new Set(found.flatMap((state, place) => (state.has("") ? [place] : []))));
}

/** Leave out the states from which no accepting one can be reached. Throws InputError where none is left. */
function useful(after, accepting) {
  const before = after.map(() => []);
  after.forEach((row, state) => row.forEach((target) => before[target].push(state)));
  const kept = new Set(accepting);
  for (const state of kept) before[state].forEach((each) => kept.add(each)); // which grows meanwhile
  const rows = after.map((row) => new Map([...row].filter(([, target]) => kept.has(target))));
  if (!rows[START].size) throw new InputError("No number can match the pattern.", "bad_constraint");
  return automaton(rows, accepting);
}

function automaton(after, accepting) {
  return { after, accepting, lengths: lengthsOf(after, accepting) };
}

function lengthsOf(after, accepting) {
  const isOrdered = after.every((row, state) => [...row.values()].every((target) => target > state));
  const least = after.map(() => after.length);
  const most = after.map(() => (isOrdered ? 0 : Infinity));
  for (let state = after.length - 1; state >= 0; state--) {
    const targets = [...after[state].values()];
    least[state] = accepting.has(state) ? 0 : 1 + Math.min(after.length, ...targets.map((target) => least[target]));
    most[state] = targets.length ? Math.max(...targets.map((target) => 1 + most[target])) : 0;
  }
  return after.map((_, state) => [isOrdered ? least[state] : 0, most[state]]);
}

const tooComplex = () =>
  new InputError(`The pattern is too complex: it needs more than ${MAX_STATES} states.`, "bad_constraint");

const keyOf = (state) => [...state.keys()].sort().join("|");

/**
 * Steps from state to state of a parsed regular expression.
 *
 * A state is a Map of sequences by their keys, each of which may be what is left to match. An item of a sequence is a set of
 * symbols, or a group with how often it may still come. "" is the key of the empty sequence.
 */
class States {
  constructor(groups, symbols) {
    Object.assign(this, { groups, symbols, end: performance.now() + MAX_TIME });
    this.start = this.expanded([[[groups.length - 1, 1, 1]]]);
  }

  /** Return the states that follow, each with the symbols that lead to it. */
  steps(state) {
    const reached = new Map();
    const begun = [...state.values()].filter((rest) => rest.length);
    for (const symbol of this.symbols) {
      const rests = begun.filter(([head]) => head.includes(symbol)).map(([, ...rest]) => rest);
      if (!rests.length) continue;
      const key = [...new Set(rests.map(restKey))].sort().join("|");
      if (!reached.has(key)) reached.set(key, { reached: [], rests });
      reached.get(key).reached.push(symbol);
    }
    return [...reached.values()].map((each) => ({ reached: each.reached, following: this.expanded(each.rests) }));
  }

  /** Return what the sequences may begin with: all that begin with a set, and the empty one. */
  expanded(rests) {
    const seen = new Map(rests.map((rest) => [restKey(rest), rest]));
    for (const rest of seen.values()) { // which grows meanwhile
      if (performance.now() > this.end) throw tooComplex();
      for (const next of this.opened(rest)) if (!seen.has(restKey(next))) seen.set(restKey(next), next);
    }
    return new Map([...seen].filter(([, rest]) => !rest.length || isSet(rest[0])));
  }

  /** Return a sequence that begins with a group, with the group left out or entered once. */
  opened([head, ...rest]) {
    if (head === undefined || isSet(head)) return [];
    const [group, least, most] = head;
    const left = least === 0 ? [rest] : [];
    if (most === 0) return left;
    const again = most === 1 ? [] : [[group, Math.max(least - 1, 0), most - 1]];
    return [...left, ...this.groups[group].map((alternative) => [...alternative, ...again, ...rest])];
  }
}

const isSet = (item) => typeof item === "string";

const restKey = (rest) => rest.map((item) => (isSet(item) ? `[${item}]` : item.join(":"))).join(";");
