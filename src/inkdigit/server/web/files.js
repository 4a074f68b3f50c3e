/** The table of several files: read in chunks, sorted, walked through by keys, and saved. */

import { constraints } from "./constraints.js";
import { $, chosenModel, element, isLong, isNumber, percent, readingVerdict, trustIn, verdictOf } from "./form.js";
import { predict, read } from "./service.js";

const CHUNK_FILES = 8;
const CHUNK_BYTES = 48 * 1024 ** 2; // well under the service's limit of 100 MiB for a batch

let table = { results: [], closing: new AbortController() };

/** Read files into the table; a click on a row calls `open` with its file. */
export async function readFiles(files, open) {
  closeTable();
  const { results, closing } = table;
  $("files").hidden = false;
  showProgress(0, files.length);
  $("files").scrollIntoView({ block: "nearest" });
  for (const chunk of chunksOf(files)) {
    const answers = await readChunk(chunk, closing.signal);
    if (closing.signal.aborted) return;
    results.push(...answers);
    $("rows").append(...answers.map((answer, place) => rowOf(chunk[place], answer, open)));
    $("rows").rows[0].tabIndex = 0;
    $("table").classList.toggle("named", results.some(({ labels }) => labels?.some(isLong)));
    sortRows();
    showProgress(results.length, files.length);
  }
}

/** Split files so that no request is too large, and the table fills while they are read. A PDF file has many pages. */
export function* chunksOf(files, most = CHUNK_FILES) {
  let [chunk, bytes] = [[], 0];
  for (const file of files) {
    const isFull = chunk.length === most || bytes + file.size > CHUNK_BYTES || [file, chunk.at(-1)].some(isPdf);
    if (chunk.length && isFull) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(file);
    bytes += file.size;
  }
  yield chunk;
}

const isPdf = (file) => file?.type === "application/pdf" || /\.pdf$/i.test(file?.name ?? "");

/** Return the prediction of each file, with its `reading`. If the whole request is refused, every file gets that error. */
async function readChunk(files, signal) {
  try {
    const readings = read(files, constraints(), { signal }).catch(() => []);
    const predictions = await predict(files, { model: chosenModel(), signal });
    const found = await readings;
    // Multipart escapes quotes in names, so the names are the files' own.
    return predictions.map((answer, place) => ({ ...answer, file: files[place].name, reading: found[place] }));
  } catch (error) {
    return files.map((file) => ({ file: file.name, error: { detail: error.message } }));
  }
}

/** Sort by confidence, the least sure first; a second time, the most sure first. Failed files stay at the end. */
export function toggleOrder() {
  const { ariaSort } = $("by-confidence");
  $("by-confidence").ariaSort = ariaSort === "ascending" ? "descending" : "ascending";
  sortRows();
}

function sortRows() {
  const direction = { ascending: 1, descending: -1 }[$("by-confidence").ariaSort];
  if (!direction) return;
  const failed = (row) => row.classList.contains("failed");
  const byConfidence = (a, b) => failed(a) - failed(b) || direction * (a.dataset.confidence - b.dataset.confidence);
  $("rows").append(...[...$("rows").rows].sort(byConfidence));
}

/** Move through the rows by the arrow keys; open a row's file by Enter. */
export function onRowKey(event) {
  const row = event.target.closest("tr");
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (event.key === "Enter") row.click();
  else if (!next) return;
  event.preventDefault();
  if (!next) return;
  row.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function showProgress(done, count) {
  $("files-title").textContent = done < count ? `${done} of ${count} pictures read` : `${count} pictures`;
  Object.assign($("progress"), { max: count, value: done, hidden: done === count });
  $("csv").hidden = $("json").hidden = done < count;
}

function rowOf(file, result, open) {
  const thumbnail = Object.assign(element("img"), { src: URL.createObjectURL(file), alt: "", decoding: "async" });
  thumbnail.onerror = () => thumbnail.remove(); // a format that only the service decodes
  const number = !result.error && isNumber(result.reading, result) ? result.reading : null;
  const shown = number ?? result;
  const words = element("small", "", result.error?.detail ?? (number ? readingVerdict(number) : verdictOf(result)));
  const cells = [element("td", "", thumbnail), element("td", "", file.name, words)];
  if (result.error) cells[1].colSpan = 3;
  else cells.push(element("td", `figure ${number ? "text" : ""}`, number?.text ?? `${result.digit}`));
  if (!result.error) cells.push(element("td", "share", percent(shown.confidence)));
  const row = element("tr", result.error ? "failed" : trustIn(shown), ...cells);
  row.dataset.confidence = shown.confidence ?? 0;
  row.tabIndex = -1;
  row.onclick = () => open(file);
  return row;
}

export function closeTable() {
  table.closing.abort();
  table = { results: [], closing: new AbortController() };
  document.querySelectorAll("#rows img").forEach((image) => URL.revokeObjectURL(image.src));
  $("rows").replaceChildren();
  $("by-confidence").ariaSort = null;
  $("files").hidden = true;
}

/** Quote a CSV field; an apostrophe keeps spreadsheets from taking a name for a formula. */
export function csvField(value) {
  const text = String(value ?? "").replace(/^(?!-?[\d.,/ ]+$)[=+\-@\t\r]/, "'$&"); // -15.50 is a number and no formula
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Save the table with the columns of `inkdigit predict --csv`, and the `text` of the reading. */
export function downloadCsv() {
  const keys = ["file", "digit", "confidence", "is_digit", "digitness", "is_sure", "error", "text"];
  const rows = table.results.map((result) => ({ ...result, error: result.error?.detail, text: result.reading?.text }));
  const lines = [keys, ...rows.map((row) => keys.map((key) => csvField(row[key])))];
  download("inkdigit.csv", "text/csv", lines.map((line) => `${line.join(",")}\r\n`).join(""));
}

/** Save the table as `/v1/predict/batch` answers, each result with its `reading`. */
export function downloadJson() {
  const results = table.results.map(({ labels, ...result }) => result);
  download("inkdigit.json", "application/json", JSON.stringify({ results }, null, 2));
}

/** Save a text, or a Blob, as a file. */
export function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(element("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
