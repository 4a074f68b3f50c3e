/**
 * Symbols to numbers, rows and reading order: layout.py in JavaScript, function by function and in the same order.
 *
 * Change both. `tests/site/test_layout.py` holds this module against layout.py.
 *
 * @typedef {{box: number[], shares: number[], isMark: boolean}} Candidate with `box` left, top, right, bottom in px, and
 *   `shares` the probability of each label
 * @typedef {{symbols: number[], text: string, box: number[], top: number, bottom: number}} Node a digit, a mark, or a whole
 *   fraction; `symbols` are places in the candidates; `top` and `bottom` say where digits stand beside it, in px
 */

import { SPACE } from "./automaton.js";
import { OTHER } from "./constraints.js";
import { argmax, isDecimal, median, product, range, sorted, sum } from "./numeric.js";

// All in heights of a digit, but for shares. layout.py says what each is for.
const REACH = 1.8;
const [NARROW, SPREAD, WIDE] = [0.45, 1.5, [0.6, 1.05]];
const USUAL = 0.4;
const [POINT_REACH, DASH_REACH] = [0.8, 0.8];
const [PITCH, EVEN] = [1.9, 0.22];
const FLAT = 2.5;
const MIN_OVERLAP = 0.4;
const ADJOINING = 0.35;
const SMALL_HEIGHT = 0.4; // `SMALL` in layout.py
const GRAIN = 0.1;
const SPECK = 0.3;
const MIN_HEIGHT = 0.01;
const LIKELY = 0.01;
const POSSIBLE = 0.15;
const NEARBY = 1.0;
const CERTAIN = 0.995;
const TINY = 1e-6;

const POINTS = [".", ","];
const SMALL = [...POINTS, "-"];
const MARKS = [...SMALL, "/"];

/**
 * Return the numbers of a picture in reading order, as `/v1/read` lists them.
 *
 * @param {Candidate[]} unordered
 * @param {string[]} labels
 * @param {{scale: number, bias: number}} calibration of a number's confidence
 * @param {((slots: import("./decoding.js").Slot[]) => object | null) | undefined} decode chooses a number's text under a
 *   constraint
 */
export function findNumbers(unordered, labels, calibration, decode) {
  const every = sorted(unordered, inOrder);
  const isGrain = grains(every, labels);
  const candidates = every.filter((candidate) => !isGrain(candidate));
  const boxes = candidates.map(({ box }) => box);
  const texts = textsOf(candidates, labels);
  const others = range(boxes.length).filter((place) => !texts.has(place));
  const nodes = nodesOf(boxes, texts);
  const chains = chainsOf(nodes.length, neighbours(nodes));
  const marks = others.filter((place) => candidates[place].isMark).map((place) => boxes[place]);
  const points = possiblePoints(nodes, candidates, labels, others);
  const runs = chains
    .flatMap((chain) => split(chain.map((place) => nodes[place]), marks, points))
    .filter((run) => run.some(({ text }) => isDecimal(text[0])))
    .map((run) => trimmed(run, candidates, labels));
  runs.flat().filter((node) => !isFraction(node)).forEach(({ symbols, text }) => texts.set(symbols[0], text));
  const doubts = others
    .filter((place) => !texts.has(place))
    .map((place) => ({ place, box: boxes[place], share: candidates[place].shares[labels.indexOf(OTHER)] }));
  const symbol = (place) => symbolOf(texts.get(place), candidates[place], labels);
  const numberOf = (run, row) => {
    const symbols = run.flatMap((node) => node.symbols.map(symbol));
    const certain = product(symbols.map(({ confidence }) => confidence)) * undisturbed(run, doubts);
    const read = { text: textOf(run), confidence: calibrated(certain, calibration), box: union(run), row, symbols };
    return decode ? constrained(read, run, { candidates, labels, texts, doubts, calibration, decode }) : read;
  };
  return rowsOf(runs, slopeOf(nodes, chains)).flatMap((members, row) => members.map((run) => numberOf(run, row)));
}

/** Compare candidates by their probabilities, the last label's first, then by their boxes: their order must not matter. */
function inOrder(one, other) {
  for (let place = one.shares.length - 1; place >= 0; place--) {
    if (one.shares[place] !== other.shares[place]) return one.shares[place] - other.shares[place];
  }
  const side = one.box.findIndex((value, place) => value !== other.box[place]);
  return side < 0 ? 0 : one.box[side] - other.box[side];
}

/** Return the confidence, 0..1, for the probability that all symbols are right. */
function calibrated(probability, { scale, bias }) {
  const p = Math.min(Math.max(probability, 1e-9), 1 - 1e-9);
  return 1 / (1 + Math.exp(-(scale * Math.log(p / (1 - p)) + bias)));
}

/** Return the texts of the candidates that are symbols, by their place. */
function textsOf(candidates, labels) {
  const [other, slash] = [labels.indexOf(OTHER), labels.indexOf("/")];
  const texts = new Map();
  candidates.forEach(({ shares }, place) => {
    if (shares[other] < 0.5) texts.set(place, labels[argmax(shares.map((share, label) => (label === other ? -1 : share)))]);
  });
  const boxes = candidates.map(({ box }) => box);
  doubled(boxes, texts, candidates).forEach((place) => texts.delete(place));
  const isBar = ({ isMark, shares }, place) => isMark && !texts.has(place) && shares[slash] > 0;
  bars(boxes, texts, range(boxes.length).filter((place) => isBar(candidates[place], place)))
    .forEach((place) => texts.set(place, "/"));
  return texts;
}

/** Return what says which candidates are grains of a far larger digit's lines: in a close look they resemble digits. */
function grains(candidates, labels) {
  const other = labels.indexOf(OTHER);
  const best = ({ shares }) => labels[argmax(shares.map((share, label) => (label === other ? -1 : share)))];
  const tall = ([, top, , bottom]) => bottom - top;
  const large = candidates.filter((each) => isDecimal(best(each)) && each.shares[other] < 0.5).map(({ box }) => box);
  const holds = (box, x, y) => {
    const around = GRAIN * tall(box);
    return x > box[0] - around && x < box[2] + around && y > box[1] - around && y < box[3] + around;
  };
  return (candidate) => {
    const [left, top, right, bottom] = candidate.box;
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const isSmall = (box) => tall(candidate.box) < SMALL_HEIGHT * tall(box);
    return isDecimal(best(candidate)) && large.some((box) => isSmall(box) && holds(box, x, y));
  };
}

/** Return the points, commas and dashes that lie on a more probable one: one mark, found twice. */
function doubled(boxes, texts, candidates) {
  const certain = (place) => Math.max(...candidates[place].shares);
  const middle = ([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2];
  const side = ([left, top, right, bottom]) => Math.max(right - left, bottom - top);
  const marks = [...texts].filter(([, text]) => SMALL.includes(text)).map(([place]) => place);
  const kept = [];
  return sorted(marks, (one, other) => certain(other) - certain(one)).filter((place) => {
    const isApart = (other) => {
      const [one, two] = [middle(boxes[place]), middle(boxes[other])];
      return Math.hypot(one[0] - two[0], one[1] - two[1]) > Math.max(side(boxes[place]), side(boxes[other]));
    };
    const isAlike = (other) => (texts.get(place) === "-") === (texts.get(other) === "-");
    if (!kept.filter(isAlike).every(isApart)) return true;
    kept.push(place);
    return false;
  });
}

/** Return nodes of the candidates that are no symbols, but perhaps a point or a comma beside a digit. */
function possiblePoints(nodes, candidates, labels, others) {
  const hosts = nodes.filter(isDigit);
  const found = POINTS.flatMap((text) => {
    const chance = (place) => candidates[place].shares[labels.indexOf(text)];
    const likely = others.filter((place) => chance(place) >= POSSIBLE);
    return likely.map((place) => ({ chance: chance(place), node: hosted(place, text, candidates[place].box, hosts) }));
  });
  return sorted(found, (one, other) => other.chance - one.chance).map(({ node }) => node).filter(Boolean);
}

/** Leave out marks at a number's end, and take a slash at its start for the digit that it resembles most. */
function trimmed(run, candidates, labels) {
  const end = run.findLastIndex(({ text }) => !MARKS.includes(text)) + 1;
  const [first, ...rest] = run.slice(0, end);
  if (first.text !== "/") return [first, ...rest];
  const { shares } = candidates[first.symbols[0]];
  const digit = argmax(shares.map((share, label) => (isDecimal(labels[label]) ? share : -1)));
  return [{ ...first, text: labels[digit] }, ...rest];
}

function symbolOf(text, { box, shares }, labels) {
  const likely = sorted(range(shares.length), (one, other) => shares[other] - shares[one]);
  const named = likely.filter((place) => labels[place] !== OTHER && shares[place] >= LIKELY);
  const confidence = shares[labels.indexOf(text)];
  const alternatives = Object.fromEntries([[text, confidence], ...named.map((place) => [labels[place], shares[place]])]);
  return { text, confidence, box, alternatives };
}

/** Join the texts of a number, with a space between a whole number and its fraction. */
function textOf(run) {
  const isAfterDigit = (node, place) => place > 0 && isFraction(node) && isDigit(run[place - 1]);
  return run.map((node, place) => `${isAfterDigit(node, place) ? " " : ""}${node.text}`).join("");
}

/** Return the box around nodes. */
const union = (nodes) => around(nodes.map(({ box }) => box));

const around = (boxes) => [0, 1, 2, 3].map((side) => Math[side < 2 ? "min" : "max"](...boxes.map((box) => box[side])));

/** Return the probability that nothing else in or beside a number is a symbol. */
const undisturbed = (run, doubts) => product(near(run, doubts, ADJOINING).map(({ share }) => share));

/** Return the doubts in a number, or within `reach` of its ends. */
function near(run, doubts, reach) {
  const [left, top, right, bottom] = union(run);
  const beside = reach * median(run.map((node) => node.bottom - node.top));
  const isInside = ({ box }) => box[2] > left - beside && box[0] < right + beside && box[3] > top && box[1] < bottom;
  return doubts.filter(isInside);
}

// The text under a constraint.

/** Return a number with the text that `decode` chooses, if it does. */
function constrained(read, run, found) {
  const { candidates, labels, calibration, decode } = found;
  const places = inOrderOfPlace(run, found);
  const decoded = decode(places.map((place) => slotOf(place, run, found)));
  if (!decoded) return { ...read, is_match: false };
  const { match, probability } = decoded;
  const symbols = matched(match, places, found, (place, text) => symbolOf(text, candidates[place], labels));
  const box = around(symbols.map((symbol) => symbol.box));
  return { ...read, text: match.text, confidence: calibrated(probability, calibration), box, symbols };
}

/** Return the candidates in and beside a number from left to right, null for the space before a fraction. */
function inOrderOfPlace(run, { doubts }) {
  const middle = ({ box }) => box[0] + box[2];
  const unclear = near(run, doubts, NEARBY).filter(({ share }) => share < CERTAIN);
  const waiting = sorted(unclear, (one, other) => middle(one) - middle(other));
  const places = [];
  run.forEach((node, place) => {
    while (waiting.length && middle(waiting[0]) < middle(node)) places.push(waiting.shift().place);
    if (isFraction(node) && place && isDigit(run[place - 1])) places.push(null);
    places.push(...node.symbols);
  });
  return [...places, ...waiting.map(({ place }) => place)];
}

/** Return a candidate's probabilities. A fraction's bar is a slash, whichever mark it resembles, and a speck is no digit. */
function slotOf(place, run, { candidates, labels, texts }) {
  if (place === null) return { shares: new Map([[SPACE, 1]]), none: 0 };
  const { shares, box } = candidates[place];
  const none = shares[labels.indexOf(OTHER)];
  const likely = labels.map((label, at) => [label, shares[at]]).filter(([label, share]) => share >= TINY && label !== OTHER);
  if (run.some((node) => isFraction(node) && node.symbols.includes(place))) {
    const isBar = !isDecimal(texts.get(place));
    return { shares: new Map(isBar ? [["/", sum(likely.map(([, share]) => share))]] : likely), none };
  }
  const usual = median(run.map((node) => node.bottom - node.top));
  if (box[3] - box[1] >= SMALL_HEIGHT * usual) return { shares: new Map(likely), none };
  const digits = likely.filter(([label]) => isDecimal(label)).map(([, share]) => share);
  return { shares: new Map(likely.filter(([label]) => !isDecimal(label))), none: none + sum(digits) };
}

/** Return the symbols of a match; one that was not detected stands between its neighbours, or at an end. */
function matched({ symbols }, places, { candidates, texts }, symbol) {
  const detected = symbols.map(([, slot]) => (slot === null ? null : places[slot]));
  const nearest = (found) => candidates[found.find((place) => place !== null)]?.box;
  return symbols.flatMap(([text, slot], at) => {
    const place = detected[at];
    if (place !== null) {
      const own = texts.get(place) ?? text;
      return [symbol(place, text === "/" && "-/".includes(own) ? own : text)];
    }
    if (slot !== null) return []; // the space before a fraction
    return [undetected(text, nearest(detected.slice(0, at).reverse()), nearest(detected.slice(at + 1)))];
  });
}

/** Return a symbol that was not detected, in the gap between its neighbours or at the edge of the only one. */
function undetected(text, before, after) {
  const edges = [...(before ? [before[2]] : []), ...(after ? [after[0]] : [])];
  const beside = [before, after].filter(Boolean);
  const [top, bottom] = [Math.min(...beside.map((box) => box[1])), Math.max(...beside.map((box) => box[3]))];
  return { text, confidence: 0, box: [Math.min(...edges), top, Math.max(...edges), bottom], alternatives: { [text]: 0 } };
}

// Nodes: digits with their marks and fractions.

const isDigit = ({ text }) => isDecimal(text);
const isFraction = ({ symbols }) => symbols.length > 1;
const middleX = ({ box }) => (box[0] + box[2]) / 2;
const middleY = ({ top, bottom }) => (top + bottom) / 2;
const heightOf = ({ top, bottom }) => Math.max(bottom - top, MIN_HEIGHT);

/** Make nodes of the symbols, `texts` by their place in the boxes; a small mark that no digit is near is dropped. */
function nodesOf(boxes, texts) {
  const fractions = fractionsOf(boxes, texts);
  const used = new Set(fractions.flatMap(({ symbols }) => symbols));
  const left = [...texts].filter(([place]) => !used.has(place));
  const isSmall = ([, text]) => SMALL.includes(text);
  const others = left.filter((each) => !isSmall(each)).map(([place, text]) => tallNode(place, text, boxes[place]));
  const tall = [...fractions, ...others];
  const hosts = tall.filter(({ text }) => text !== "/");
  const small = left.filter(isSmall).map(([place, text]) => hosted(place, text, boxes[place], hosts));
  return [...tall, ...small.filter(Boolean)];
}

/** Make a node of a digit or a slash, which is a little taller than the digits beside it. */
function tallNode(place, text, box) {
  const trim = text === "/" ? 0.1 * (box[3] - box[1]) : 0;
  return { symbols: [place], text, box, top: box[1] + trim, bottom: box[3] - trim };
}

/** Make a node of a small mark, which stands in the row of the nearest digit: a point low, a dash at mid-height. */
function hosted(place, text, box, hosts) {
  const [left, top, right, bottom] = box;
  const reach = text === "-" ? [DASH_REACH, 0.4] : [POINT_REACH, 0.65];
  const costs = hosts.map((host) => {
    const gap = Math.max(host.box[0] - right, left - host.box[2], 0) / heightOf(host);
    const low = ((top + bottom) / 2 - middleY(host)) / heightOf(host); // 0 at mid-height, 0.5 at the baseline
    const off = Math.abs(text === "-" ? low : low - 0.5);
    return gap <= reach[0] && off <= reach[1] ? gap + off : Infinity;
  });
  const near = argmax(costs.map((cost) => -cost));
  if (!Number.isFinite(costs[near])) return null;
  return { symbols: [place], text, box, top: hosts[near].top, bottom: hosts[near].bottom };
}

/** Return fractions: small digits above and below a level bar, or high and low beside a slash. */
function fractionsOf(boxes, texts) {
  const found = [];
  let digits = [...texts].filter(([, text]) => isDecimal(text)).map(([place]) => place);
  for (const [bar] of [...texts].filter(([, text]) => text === "-" || text === "/")) {
    for (const find of [stacked, diagonal]) {
      const parts = find(boxes[bar], digits.map((place) => boxes[place])).map((part) => part.map((place) => digits[place]));
      const [upper, lower] = parts;
      if (!upper.length || !lower.length) continue;
      const symbols = [...upper, bar, ...lower];
      const box = around(symbols.map((place) => boxes[place]));
      const text = parts.map((part) => part.map((place) => texts.get(place)).join("")).join("/");
      found.push({ symbols, text, box, top: box[1], bottom: box[3] });
      digits = digits.filter((place) => !symbols.includes(place));
      break;
    }
  }
  return found;
}

/** Return those of the `marks` that are bars of a mixed fraction: level, between small digits, and beside a larger digit. */
function bars(boxes, texts, marks) {
  const digits = [...texts].filter(([, text]) => isDecimal(text)).map(([place]) => boxes[place]);
  const tall = digits.map((digit) => digit[3] - digit[1]);
  return marks.filter((place) => {
    const [left, top, right, bottom] = boxes[place];
    const [upper, lower] = stacked(boxes[place], digits);
    if (right - left < FLAT * (bottom - top) || !upper.length || !lower.length) return false;
    const part = Math.max(...upper.map((digit) => tall[digit]), ...lower.map((digit) => tall[digit]));
    return digits.some((digit, each) => {
      const off = Math.abs((digit[1] + digit[3]) / 2 - (top + bottom) / 2);
      return Math.abs(left - digit[2]) <= 0.8 * tall[each] && off <= 0.25 * tall[each] && tall[each] >= 1.15 * part;
    });
  });
}

/** Return the places of the digits right above and right below a level bar, each from left to right. */
function stacked(bar, digits) {
  const middle = (bar[1] + bar[3]) / 2;
  const isNear = (digit, gap) => {
    const [x, tall] = [(digit[0] + digit[2]) / 2, digit[3] - digit[1]];
    const isCovered = x > bar[0] - 0.2 * tall && x < bar[2] + 0.2 * tall && bar[2] - bar[0] > bar[3] - bar[1];
    return isCovered && gap > -0.2 * tall && gap < 0.5 * tall;
  };
  const above = (digit) => isNear(digit, middle - digit[3]);
  const below = (digit) => isNear(digit, digit[1] - middle);
  return [above, below].map((fits) => leftToRight(range(digits.length).filter((place) => fits(digits[place])), digits));
}

/**
 * Return the places of the digits high before and low after a slash, each from left to right; none where they are at about
 * the same height, as in a date.
 */
function diagonal(slash, digits) {
  const own = slash[3] - slash[1];
  const down = digits.map((digit) => ((digit[1] + digit[3]) / 2 - (slash[1] + slash[3]) / 2) / own);
  const fits = (digit, place, side) => {
    const across = (digit[0] + digit[2]) / 2 - (slash[0] + slash[2]) / 2;
    const isSmall = digit[3] - digit[1] < 0.8 * own;
    return isSmall && side * across > 0 && side * down[place] > 0.06 && side * down[place] < 0.6;
  };
  const [upper, lower] = [-1, 1].map((side) => {
    const found = range(digits.length).filter((place) => fits(digits[place], place, side));
    const gaps = digits.map((digit) => (side < 0 ? slash[0] - digit[2] : digit[0] - slash[2]));
    return leftToRight(reached(found, gaps, digits), digits);
  });
  const drop = (part) => median(part.map((place) => down[place]));
  return upper.length && lower.length && drop(lower) - drop(upper) < 0.25 ? [[], []] : [upper, lower];
}

/** Keep the digits that are reached from a slash, one after another, without a gap of over 0.4 heights. */
function reached(found, gaps, digits) {
  let edge = 0;
  return sorted(found, (one, other) => gaps[one] - gaps[other]).filter((place) => {
    const [left, top, right, bottom] = digits[place];
    if (gaps[place] - edge > 0.4 * (bottom - top)) return false;
    edge = Math.max(edge, gaps[place] + right - left);
    return true;
  });
}

/** Order places of boxes by their middles. */
function leftToRight(places, boxes) {
  const x = (place) => (boxes[place][0] + boxes[place][2]) / 2;
  return sorted(sorted(places, (one, other) => one - other), (one, other) => x(one) - x(other));
}

// Numbers: chains of neighbours, cut at wide gaps.

/** Link nodes to their right neighbours: the nearest node, of those at about their height and within `REACH`. */
function neighbours(nodes) {
  const [x, y, tall] = [nodes.map(middleX), nodes.map(middleY), nodes.map(heightOf)];
  return link(nodes.length, (i, j) => {
    const [smaller, larger] = [Math.min(tall[i], tall[j]), Math.max(tall[i], tall[j])];
    const common = Math.min(y[i] + tall[i] / 2, y[j] + tall[j] / 2) - Math.max(y[i] - tall[i] / 2, y[j] - tall[j] / 2);
    const [gap, step] = [nodes[j].box[0] - nodes[i].box[2], x[j] - x[i]];
    const fits = step > 0 && gap <= REACH * larger && common >= MIN_OVERLAP * smaller && larger <= 3 * smaller;
    return fits ? step + Math.abs(y[j] - y[i]) : Infinity;
  });
}

/** Link places i → j of `count`, the least `costOf(i, j)` first, so that none has two links to or from it. */
function link(count, costOf) {
  const nearest = (i) => {
    const pairs = range(count).map((j) => ({ cost: costOf(i, j), i, j }));
    return sorted(pairs.filter(({ cost }) => Number.isFinite(cost)), (one, other) => one.cost - other.cost).slice(0, 3);
  };
  const [after, taken] = [new Map(), new Set()];
  for (const { i, j } of sorted(range(count).flatMap(nearest), (one, other) => one.cost - other.cost)) {
    if (after.has(i) || taken.has(j)) continue;
    after.set(i, j);
    taken.add(j);
  }
  return after;
}

/** Return the chains that links make of `count` places, a place without links alone. */
function chainsOf(count, after) {
  const linked = new Set(after.values());
  return range(count)
    .filter((place) => !linked.has(place))
    .map((start) => {
      const chain = [start];
      while (after.has(chain.at(-1))) chain.push(after.get(chain.at(-1)));
      return chain;
    });
}

/**
 * Cut a chain of neighbours into numbers: at wide gaps, after fractions and at marks that are no symbols. A wide gap between
 * two digits that holds one of `points` is the place of that point.
 */
function split(chain, marks, points) {
  const gapsOf = (measure) => chain.slice(1).map((node, place) => measure(node, chain[place]));
  const tall = gapsOf((node, before) => Math.max(heightOf(node), heightOf(before)));
  const gaps = gapsOf((node, before) => Math.max(node.box[0] - before.box[2], 0)).map((gap, place) => gap / tall[place]);
  const usual = median(tall);
  const isWide = wideGaps(chain, gaps, chain.map((node) => middleX(node) / usual));
  const isMarked = markedGaps(chain, marks);
  const runs = [[chain[0]]];
  chain.slice(1).forEach((node, place) => {
    const isCut = isFraction(chain[place]) || isMarked[place];
    const isShort = isWide[place] && !isCut && gaps[place] <= 1.5 * POINT_REACH;
    const point = isShort ? between(chain[place], node, points) : undefined;
    if (point) runs.at(-1).push(point);
    else if (isWide[place] || isCut) runs.push([]);
    runs.at(-1).push(node);
  });
  return runs;
}

/** Return the first point that stands in the gap between two digits, if there is one. */
function between(before, after, points) {
  if (!isDigit(before) || !isDigit(after)) return undefined;
  const isInside = (x) => before.box[2] < x && x < after.box[0];
  return points.find((point) => isInside(middleX(point)) && point.top < after.bottom && point.bottom > after.top);
}

/** Return which gaps between nodes end a number; gaps and middles x are in heights of a digit. */
function wideGaps(chain, gaps, x) {
  const inner = gaps.map((_, place) => isDigit(chain[place]) && isDigit(chain[place + 1]));
  const usual = sorted(gaps.filter((_, place) => inner[place]), (one, other) => one - other);
  const even = evenGaps(inner, x);
  return gaps.map((gap, place) => {
    const pair = [chain[place], chain[place + 1]];
    if (even[place]) return false;
    if (inner[place]) {
      const rest = usual.toSpliced(usual.indexOf(gap), 1);
      const typical = rest.length ? rest[Math.floor((rest.length - 1) / 2)] : USUAL;
      return gap > Math.min(Math.max(NARROW + SPREAD * typical, WIDE[0]), WIDE[1]);
    }
    if (pair.some(isFraction)) return gap > DASH_REACH;
    const isPoint = pair.some(({ text }) => text === "." || text === ",");
    return gap > (isPoint ? POINT_REACH : DASH_REACH) || leansAway(chain, gaps, place);
  });
}

/** Return whether the dash beside a gap lies much nearer to the number on its other side: `45  -12`. */
function leansAway(chain, gaps, place) {
  const isWiderThan = (other) => gaps[place] > Math.max(0.6, 0.2 + 2 * gaps[other]);
  if (chain[place + 1].text === "-" && place + 1 < gaps.length) return isWiderThan(place + 1);
  return chain[place].text === "-" && place > 0 && isWiderThan(place - 1);
}

/** Return which gaps are within a row of printed boxes, where most digits are equally far apart. */
function evenGaps(inner, x) {
  const steps = inner.map((_, place) => x[place + 1] - x[place]);
  const pitch = median(steps);
  const even = steps.map((step, place) => inner[place] && Math.abs(step - pitch) <= EVEN * pitch);
  const isRow = pitch <= PITCH && even.filter(Boolean).length >= Math.max(2, 0.6 * steps.length);
  return even.map((each) => each && isRow);
}

/** Return which gaps hold a mark that is no symbol, such as a colon; an underline is in none. */
function markedGaps(chain, marks) {
  const [x, y, tall] = [chain.map(middleX), chain.map(middleY), chain.map(heightOf)];
  return range(chain.length - 1).map((here) => {
    const next = here + 1;
    const top = Math.min(y[here] - tall[here] / 2, y[next] - tall[next] / 2);
    const bottom = Math.max(y[here] + tall[here] / 2, y[next] + tall[next] / 2);
    return marks.some((mark) => {
      const [common, height] = [Math.min(mark[3], bottom) - Math.max(mark[1], top), mark[3] - mark[1]];
      const isBetween = mark[0] >= x[here] && mark[2] <= x[next] && height >= SPECK * Math.min(tall[here], tall[next]);
      return isBetween && common >= 0.3 * Math.min(height, bottom - top);
    });
  });
}

// Rows.

/** Return how far rows fall, in px a px to the right: the median over the chains, weighted by their lengths. */
function slopeOf(nodes, chains) {
  const steps = chains
    .filter((chain) => chain.length > 2)
    .map((chain) => [nodes[chain[0]], nodes[chain.at(-1)]])
    .map(([first, last]) => ({ across: middleX(last) - middleX(first), down: middleY(last) - middleY(first) }));
  const ordered = sorted(steps, (one, other) => one.down / one.across - other.down / other.across);
  let left = sum(steps.map(({ across }) => across)) / 2;
  const middle = ordered.find(({ across }) => (left -= across) <= 0);
  return middle ? middle.down / middle.across : 0;
}

/** Group numbers into rows, from top to bottom, each from left to right; the rows' `slope` is taken out. */
function rowsOf(runs, slope) {
  const [first, last] = [runs.map((run) => run[0]), runs.map((run) => run.at(-1))];
  const level = (node) => middleY(node) - slope * middleX(node);
  const after = link(runs.length, (i, j) => {
    const [tall, next] = [heightOf(last[i]), heightOf(first[j])];
    const [drop, step] = [Math.abs(level(first[j]) - level(last[i])), middleX(first[j]) - middleX(last[i])];
    return step > 0 && (tall + next) / 2 - drop >= 0.5 * Math.min(tall, next) ? step + 2 * drop : Infinity;
  });
  const rows = chainsOf(runs.length, after).map((row) => {
    const height = sum(row.map((place) => (level(first[place]) + level(last[place])) / 2)) / row.length;
    return { height, x: middleX(first[row[0]]), members: row.map((place) => runs[place]) };
  });
  return sorted(rows, (one, other) => one.height - other.height || one.x - other.x).map(({ members }) => members);
}
