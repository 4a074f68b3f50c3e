/**
 * Regular expressions over the symbols of numbers, as automaton.py takes them: sets, groups, alternatives and repetitions.
 *
 * A parsed expression is a list of groups. A group is its alternatives, each a list of items: a text with all symbols that
 * may come, or `[group, least, most]`, a group with how often it comes.
 */

import { InputError } from "./pixels.js";

const MAX_LENGTH = 500; // characters of a regular expression
const CLASSES = { d: /\d/, s: /\s/, w: /\w/ };
const NESTED = /(?<!\\)(?:\[|--|&&|\|\||~~)/; // in a set: what a later Python may take for sets of sets
const SET = /^\[\^?\]?(?:\\[^]|[^\\\]])*\]/;
const COUNT = /^\{(\d+)(,?)(\d*)\}|^\{,(\d*)\}/;
const REPEATS = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] };

const refusal = (sentence) => new InputError(sentence, "bad_constraint");
const broken = (why) => refusal(`The pattern is no regular expression: ${why}.`);
const unsupported = () =>
  refusal("The pattern may have sets, groups, alternatives and repetitions, and no references, lookaround or flags.");

/** Return the groups of a regular expression, the last of which is all of it. Throws InputError. */
export function parsePattern(pattern, symbols) {
  if (typeof pattern !== "string" || !pattern || [...pattern].length > MAX_LENGTH)
    throw refusal(`The pattern must have 1 to ${MAX_LENGTH} characters.`);
  const parser = new Parser(withoutEnds(pattern), symbols);
  parser.alternatives();
  if (parser.rest) throw broken("a bracket is closed that was not opened");
  return parser.groups;
}

/** Leave out `^` at the start and `$` at the end. */
function withoutEnds(pattern) {
  const isEscaped = pattern.slice(0, -1).match(/\\*$/)[0].length % 2;
  return pattern.replace(/^\^/, "").replace(isEscaped ? /$^/ : /\$$/, "");
}

class Parser {
  constructor(pattern, symbols) {
    Object.assign(this, { rest: pattern, symbols: [...symbols], groups: [] });
  }

  /** Take the text if it comes next, and return whether it did. */
  take(text) {
    if (!this.rest.startsWith(text)) return false;
    this.rest = this.rest.slice(text.length);
    return true;
  }

  /** Parse up to a closing bracket or the end, and return the number of the group. */
  alternatives() {
    const found = [[]];
    while (this.rest && this.rest[0] !== ")") {
      if (this.take("|")) found.push([]);
      else found.at(-1).push(this.repeated());
    }
    return this.group(found);
  }

  group(alternatives) {
    return this.groups.push(alternatives) - 1;
  }

  repeated() {
    const item = this.item();
    const [least, most] = this.count() ?? [1, 1];
    this.take("?"); // a lazy repetition matches the same texts
    if (this.rest.startsWith("+")) throw unsupported(); // a possessive one does not
    if (this.count()) throw broken("a repetition is repeated");
    if (least > most) throw broken("the least number of repetitions is greater than the most");
    return [item, least, most];
  }

  /** Return the least and the most repetitions if these come next. */
  count() {
    const sign = REPEATS[this.rest[0]];
    if (sign) this.rest = this.rest.slice(1);
    if (sign || this.rest[0] !== "{") return sign;
    const found = this.rest.match(COUNT);
    if (!found) throw unsupported();
    this.rest = this.rest.slice(found[0].length);
    const [, least, comma, most, upTo] = found;
    if (least === undefined) return [0, upTo ? Number(upTo) : Infinity];
    return [Number(least), most ? Number(most) : comma ? Infinity : Number(least)];
  }

  /** Return the number of the group that comes next: one in brackets, or a set of symbols. */
  item() {
    const [sign] = this.rest;
    if (sign === "(") return this.bracketed();
    if (sign === "[") return this.set();
    const [whole, escaped] = this.rest.match(/^\\([^])|^[^]/u);
    if (whole === "\\") throw broken("it ends with a backslash");
    if (whole === "^" || whole === "$" || (/[\p{L}\p{N}]/u.test(escaped ?? "") && !classOf(escaped))) throw unsupported();
    if (REPEATS[whole]) throw broken("there is nothing to repeat");
    if (whole === "{" || whole === "}" || whole === "]") throw unsupported();
    this.rest = this.rest.slice(whole.length);
    const isIn = whole === "." ? () => true : (classOf(escaped) ?? ((symbol) => symbol === (escaped ?? whole)));
    return this.oneOf(isIn);
  }

  bracketed() {
    this.take("(");
    const named = this.rest.match(/^\?P<[A-Za-z_]\w*>|^\?:/);
    if (named) this.take(named[0]);
    else if (this.rest.startsWith("?P<")) throw broken("a group has a bad name");
    else if (this.rest[0] === "?") throw unsupported();
    const number = this.alternatives();
    if (!this.take(")")) throw broken("a bracket is not closed");
    return number;
  }

  set() {
    const [whole] = this.rest.match(SET) ?? [];
    if (!whole) throw broken("a set is not closed");
    if (NESTED.test(whole.slice(1))) throw refusal("In a set of the pattern, write \\[ for [ and no doubled sign.");
    this.rest = this.rest.slice(whole.length);
    const isNot = whole[1] === "^";
    const isIn = membersOf(whole.slice(isNot ? 2 : 1, -1));
    return this.oneOf((symbol) => isIn(symbol) !== isNot);
  }

  /** Add a group of one set, the symbols for which `isIn` is true, and return its number. */
  oneOf(isIn) {
    return this.group([[this.symbols.filter(isIn).join("")]]);
  }
}

/** Return whether a symbol is in the class of an escape, as a function, or undefined where the escape is none. */
function classOf(escaped = "") {
  const found = Object.hasOwn(CLASSES, escaped.toLowerCase()) && CLASSES[escaped.toLowerCase()];
  return found ? (symbol) => found.test(symbol) === (escaped === escaped.toLowerCase()) : undefined;
}

/** Return whether a symbol is in a set, as a function of it; `content` is what its brackets hold. */
function membersOf(content) {
  const parts = content.match(/\\[^]|[^]/gu) ?? [];
  const tests = [];
  const literal = (part) => {
    if (part[0] === "\\" && /[\p{L}\p{N}]/u.test(part[1])) throw unsupported();
    return part.replace(/^\\/, "");
  };
  for (let place = 0; place < parts.length; place++) {
    const escape = parts[place].length > 1 && parts[place][0] === "\\" ? classOf(parts[place][1]) : undefined;
    const isRange = parts[place + 1] === "-" && place + 2 < parts.length;
    if (isRange) {
      if (escape || (parts[place + 2][0] === "\\" && classOf(parts[place + 2][1]))) throw broken("a range ends in a class");
      const [from, to] = [literal(parts[place]), literal(parts[place + 2])];
      if (from > to) throw broken("a range is the wrong way round");
      tests.push((symbol) => from <= symbol && symbol <= to);
      place += 2;
    } else {
      const one = escape ? "" : literal(parts[place]);
      tests.push(escape ?? ((symbol) => symbol === one));
    }
  }
  return (symbol) => tests.some((test) => test(symbol));
}
