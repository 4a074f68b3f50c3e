/** The table of sheets and their fields, in which cells are corrected, and its CSV. */

import { csvField, download } from "./files.js";
import { element, percent } from "./form.js";

/**
 * @typedef {{text: string, confidence: number, is_sure: boolean, is_match?: boolean, alternatives: string[], crop?: string}}
 *   Reading of a field, as `/v1/forms` answers; and `corrected`, its right text, and whether it `isChecked`
 */

/** A table with a row a sheet and a column a field. */
export class FormTable {
  constructor(section) {
    this.part = (name) => section.querySelector(`[data-part=${name}]`);
    this.section = section;
    this.part("csv").addEventListener("click", () => download("forms.csv", "text/csv", this.csv()));
    section.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Empty the table, and name its columns. */
  begin(names, count) {
    Object.assign(this, { names, results: [] });
    this.section.hidden = false;
    const head = ["Sheet", ...names].map((name) => Object.assign(element("th", "", name), { scope: "col" }));
    this.part("head").replaceChildren(...head);
    this.part("rows").replaceChildren();
    this.progress(0, count);
    this.section.scrollIntoView({ block: "nearest" });
  }

  progress(done, count) {
    Object.assign(this.part("progress"), { max: count, value: done, hidden: done === count });
    this.part("stop").hidden = done === count;
    this.part("csv").disabled = done < count;
    this.showStatus();
  }

  /** The reading has stopped: what there is can be saved. */
  end() {
    this.part("progress").hidden = this.part("stop").hidden = true;
    this.part("csv").disabled = !this.results.length;
  }

  add(results) {
    this.results.push(...results);
    this.part("rows").append(...results.map((result) => this.rowOf(result)));
  }

  rowOf({ file, fields, error }) {
    const head = Object.assign(element("th", "", file), { scope: "row" });
    if (!error) return element("tr", "", head, ...this.names.map((name) => this.cellOf(file, name, fields[name])));
    const why = Object.assign(element("td", "", element("p", "error", error.detail)), { colSpan: this.names.length });
    return element("tr", "failed", head, why);
  }

  cellOf(file, name, reading) {
    const input = Object.assign(element("input"), { value: reading.text, ariaLabel: `${name}, ${file}` });
    Object.assign(input, { autocomplete: "off", spellcheck: false, reading });
    const words = element("small");
    const cell = element("td", "", input, words);
    if (reading.crop) cell.prepend(Object.assign(element("img"), { src: reading.crop, alt: "", decoding: "async" }));
    const show = () => {
      const isCorrected = reading.corrected !== undefined;
      const isOpen = needsCheck(reading);
      cell.className = isCorrected ? "corrected" : isOpen ? "unsure" : "";
      words.textContent = isCorrected ? "Corrected" : reading.isChecked ? "Checked" : verdictOf(reading);
      for (const button of cell.querySelectorAll("button")) button.hidden = !isOpen;
      this.showStatus();
    };
    const take = (text) => {
      input.value = text;
      reading.corrected = text === reading.text ? undefined : text;
      show();
    };
    input.addEventListener("input", () => take(input.value));
    input.addEventListener("checked", show);
    for (const text of reading.is_sure ? [] : reading.alternatives) {
      const button = Object.assign(element("button", "", text), { type: "button", ariaLabel: `${text} instead, ${name}, ${file}` });
      button.addEventListener("click", () => take(text));
      cell.append(button);
    }
    show();
    return cell;
  }

  showStatus() {
    const readings = this.results.flatMap(({ fields }) => Object.values(fields ?? {}));
    const [open, corrected] = [needsCheck, isCorrected].map((is) => readings.filter(is).length);
    const failed = this.results.filter(({ error }) => error).length;
    const words = [count(this.results.length, "sheet"), `${count(open, "cell")} not sure`, `${corrected} corrected`];
    this.part("status").textContent = [...words, ...(failed ? [`${failed} not read`] : [])].join(", ");
  }

  /** Enter says that a cell is right as it stands, and goes to the next one that is not sure. */
  onKey(event) {
    const { reading } = event.target;
    if (event.key !== "Enter" || !reading) return;
    event.preventDefault();
    reading.isChecked = true;
    event.target.dispatchEvent(new Event("checked"));
    const inputs = [...this.part("rows").querySelectorAll("input")];
    const later = inputs.slice(inputs.indexOf(event.target) + 1);
    const next = [...later, ...inputs].find((input) => needsCheck(input.reading));
    next?.select();
    next?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Return the table as `inkdigit read --fields` prints it, with the corrections; these have no confidence. */
  csv() {
    const head = ["file", ...this.names.flatMap((name) => [name, `${name} confidence`]), "check", "error"];
    const lines = this.results.map(({ file, fields, error }) => {
      if (error) return [file, ...this.names.flatMap(() => ["", ""]), "", error.detail];
      const all = this.names.map((name) => fields[name]);
      const cells = all.flatMap((each) => (isCorrected(each) ? [each.corrected, ""] : [each.text, each.confidence]));
      return [file, ...cells, this.names.filter((name) => needsCheck(fields[name])).join(" "), ""];
    });
    return [head, ...lines].map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
  }
}

const isCorrected = ({ corrected }) => corrected !== undefined;
const needsCheck = (reading) => !reading.is_sure && !reading.isChecked && !isCorrected(reading);
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function verdictOf({ text, confidence, is_sure: isSure, is_match: isMatch }) {
  if (isMatch === false) return "No match";
  if (!text) return isSure ? "Blank" : "Blank? Not sure";
  return isSure ? percent(confidence) : `Not sure, ${percent(confidence)}`;
}
