/** The table of many files: read in chunks, sorted, walked through by keys, and saved. */

import { $, element, isLong, percent, trustIn, verdictOf } from "./form.js";
import { askAnswers, packed, query } from "./service.js";

const CHUNK_FILES = 16;
const CHUNK_BYTES = 48 * 1024 ** 2; // well under the 100 MiB that one batch may have

let table = { results: [], closing: new AbortController() };

/** Cut a list of files so that no request is too large, and the table fills as it is read. */
function* chunksOf(files) {
  let [chunk, bytes] = [[], 0];
  for (const file of files) {
    if (chunk.length && (chunk.length === CHUNK_FILES || bytes + file.size > CHUNK_BYTES)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(file);
    bytes += file.size;
  }
  yield chunk;
}

/** Read files into the table; `lay` is called with one whose row is chosen. */
export async function readFiles(files, lay) {
  closeFiles();
  const { results, closing } = table;
  $("files").hidden = false;
  showProgress(0, files.length);
  $("files").scrollIntoView({ block: "nearest" });
  for (const chunk of chunksOf(files)) {
    const answers = await readChunk(chunk, closing.signal);
    if (closing.signal.aborted) return;
    results.push(...answers);
    $("rows").append(...answers.map((answer, place) => rowOf(chunk[place], answer, lay)));
    $("rows").rows[0].tabIndex = 0;
    $("table").classList.toggle("named", results.some(({ labels }) => labels?.some(isLong)));
    sortRows();
    showProgress(results.length, files.length);
  }
}

/** Put the least sure first, then the surest; what could not be read stays at the end. */
export function turnOrder() {
  const { ariaSort } = $("by-confidence");
  $("by-confidence").ariaSort = ariaSort === "ascending" ? "descending" : "ascending";
  sortRows();
}

function sortRows() {
  const direction = { ascending: 1, descending: -1 }[$("by-confidence").ariaSort];
  if (!direction) return;
  const failed = (row) => row.classList.contains("failed");
  const byShare = (a, b) => failed(a) - failed(b) || direction * (a.dataset.share - b.dataset.share);
  $("rows").append(...[...$("rows").rows].sort(byShare));
}

/** Walk through the results by the arrow keys. */
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

/** Read some files; when all are refused together, each gets the sentence. */
async function readChunk(files, signal) {
  try {
    const answers = await askAnswers(`v1/predict/batch${query()}`, () => packed(files), signal);
    return answers.map((result, place) => ({ ...result, file: files[place].name })); // forms change a name's quotes
  } catch (error) {
    return files.map((file) => ({ file: file.name, error: { detail: error.message } }));
  }
}

function showProgress(done, count) {
  $("files-title").textContent = done < count ? `${done} of ${count} pictures read` : `${count} pictures`;
  Object.assign($("progress"), { max: count, value: done, hidden: done === count });
  $("csv").hidden = $("json").hidden = done < count;
}

function rowOf(file, result, lay) {
  const thumbnail = Object.assign(element("img"), { src: URL.createObjectURL(file), alt: "", decoding: "async" });
  thumbnail.onerror = () => thumbnail.remove(); // a format that only the service reads
  const words = element("small", "", result.error ? result.error.detail : verdictOf(result));
  const cells = [element("td", "", thumbnail), element("td", "", file.name, words)];
  if (result.error) cells[1].colSpan = 3;
  else cells.push(element("td", "figure", `${result.digit}`), element("td", "number", percent(result.confidence)));
  const row = element("tr", result.error ? "failed" : trustIn(result), ...cells);
  row.dataset.share = result.confidence ?? 0;
  row.tabIndex = -1;
  row.onclick = () => lay(file);
  return row;
}

export function closeFiles() {
  table.closing.abort();
  table = { results: [], closing: new AbortController() };
  document.querySelectorAll("#rows img").forEach((image) => URL.revokeObjectURL(image.src));
  $("rows").replaceChildren();
  $("by-confidence").ariaSort = null;
  $("files").hidden = true;
}

/** Quote a CSV field; a name that a spreadsheet would take for a formula is made text by an apostrophe. */
function csvField(value) {
  const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function downloadCsv() {
  const keys = ["file", "digit", "confidence", "is_digit", "digitness", "is_sure", "error"]; // as the command's --csv
  const rows = table.results.map((result) => ({ ...result, error: result.error?.detail }));
  const lines = [keys, ...rows.map((row) => keys.map((key) => csvField(row[key])))];
  download("inkdigit.csv", "text/csv", lines.map((line) => `${line.join(",")}\r\n`).join(""));
}

export function downloadJson() {
  const results = table.results.map(({ labels, ...result }) => result); // as the service gives them
  download("inkdigit.json", "application/json", JSON.stringify({ results }, null, 2));
}

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(element("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
