/**
 * The most probable text of a number under a constraint: decoding.py in JavaScript, function by function. Change both.
 *
 * @typedef {{shares: Map<string, number>, none: number}} Slot a candidate: the probability of each symbol, and that it is none
 */

import { fromTexts, SPACE, START } from "./automaton.js";
import { sum } from "./numeric.js";

// decoding.py says what each is for.
const MISSED = 0.002;
const SPURIOUS = 0.001;
const NEGLIGIBLE = 1e-7;

/**
 * Return the most probable text that the automaton accepts: its `symbols` with their slots (null where none was detected), its
 * `probability`, and the `total` of all texts that match; null where none is possible.
 */
export function decode(slots, automaton) {
  const found = accepted(slots, automaton);
  if (!found?.last) return null;
  const symbols = [];
  for (let link = found.last; link; link = link.before) symbols.unshift([link.symbol, link.slot]);
  const text = symbols.map(([symbol]) => symbol).join("");
  const whole = accepted(slots, fromTexts([text]));
  return { symbols, text, probability: whole ? whole.total : found.best, total: found.total };
}

/** Return the probability of all texts that the automaton accepts. */
export const totalOf = (slots, automaton) => accepted(slots, automaton)?.total ?? 0;

/** Return the ways through all slots to an accepting state. Ways are kept by state and whether a symbol was missed or spurious. */
function accepted(slots, automaton) {
  let ways = new Map([[keyOf(START, false), { state: START, isChanged: false, total: 1, best: 1, last: null }]]);
  let [have, need] = [slots.length, slots.filter(({ none }) => none < SPURIOUS).length]; // that may come, and that must
  slots.forEach((slot, place) => {
    if (!slot.shares.has(SPACE)) addMissed(ways, automaton);
    have -= 1;
    need -= Number(slot.none < SPURIOUS);
    ways = pruned(after(ways, place, slot, automaton), automaton, have, need);
  });
  addMissed(ways, automaton);
  const end = new Map();
  for (const { state, total, best, last } of ways.values()) {
    if (automaton.accepting.has(state)) add(end, START, false, total, best, last);
  }
  return end.get(keyOf(START, false)) ?? null;
}

/** Return the ways after one more slot, which is a symbol or none. */
function after(ways, place, slot, automaton) {
  const following = new Map();
  const { none } = slot;
  const isSpace = slot.shares.has(SPACE);
  const lead = sum([...slot.shares.values()]) / (slot.shares.size ? Math.max(...slot.shares.values()) : 1);
  for (const { state, isChanged, total, best, last } of ways.values()) {
    const row = automaton.after[state];
    for (const [symbol, share] of slot.shares) {
      if (!row.has(symbol)) continue;
      const link = { symbol, slot: place, before: last };
      add(following, row.get(symbol), isChanged, total * share, best * share * lead, link);
    }
    if (none < SPURIOUS && !isSpace && !isChanged) add(following, state, true, total * SPURIOUS, best * SPURIOUS, last);
    else if (none > 0) add(following, state, isChanged, total * none, best * none, last);
  }
  return following;
}

/** Add the ways on which a symbol is written here that was not detected. */
function addMissed(ways, automaton) {
  for (const { state, isChanged, total, best, last } of [...ways.values()].map((way) => ({ ...way }))) {
    if (isChanged) continue;
    const row = automaton.after[state];
    const cost = MISSED / Math.max(row.size, 1);
    for (const [symbol, target] of row) {
      if (symbol !== SPACE) add(ways, target, true, total * cost, best * cost, { symbol, slot: null, before: last });
    }
  }
}

const keyOf = (state, isChanged) => 2 * state + Number(isChanged);

/** Add ways to those that lead to the same state. */
function add(ways, state, isChanged, total, best, last) {
  const way = ways.get(keyOf(state, isChanged));
  if (!way) return ways.set(keyOf(state, isChanged), { state, isChanged, total, best, last });
  way.total += total;
  if (best > way.best) Object.assign(way, { best, last });
}

/** Leave out what cannot end with the `need` to `have` symbols that follow, or is far from the most probable way. */
function pruned(ways, { lengths }, have, need) {
  const least = NEGLIGIBLE * [...ways.values()].reduce((most, { best }) => Math.max(most, best), 0);
  return new Map([...ways].filter(([, { state, isChanged, best }]) => {
    const [shortest, longest] = lengths[state];
    const spare = isChanged ? 0 : 1;
    return best > least && shortest <= have + spare && longest >= need - spare;
  }));
}
