/**
 * The tool that reads forms: fields are marked on one sheet, then any number of sheets become a table.
 *
 * Reading is service.js's; the boxes are marks.js's, the table is form-table.js's.
 */

import { chunksOf, download } from "./files.js";
import { $, element } from "./form.js";
import { FormTable } from "./form-table.js";
import { Marks } from "./marks.js";
import { readForms, showSheet } from "./service.js";

const CENTRE = [0.35, 0.45, 0.65, 0.5]; // the box of a field that is added by a button
const CHUNK_SHEETS = 4; // so that the table fills while they are read
const SAVED = "fields.toml";
const CONSTRAINTS = ["allow", "pattern", "choices"];

/** @type {{file: File, picture: Blob, name: string, pages: number} | null} the sheet, and the picture of its page */
let sheet = null;
/** @type {import("./marks.js").Field[]} */
let fields = [];
let reading = new AbortController();

const marks = new Marks($("marks"), { add: addField, change: () => {}, remove: removeField });
const table = new FormTable($("form-results"));

// The sheet

/** Open a sheet: a picture that the browser shows, or a page that the service does. */
async function openSheet(file, page = 1) {
  const shown = (await pictureOf(file)) ?? (await showSheet(file, { page }));
  if (shown instanceof Blob) return setSheet({ file, picture: shown, name: file.name, pages: 1 });
  const stem = file.name.replace(/\.\w+$/, "");
  await setSheet({ file, picture: shown.picture, name: `${stem}-${page}.png`, pages: shown.pages });
}

/** Return the file if the browser can show it, else null. */
async function pictureOf(file) {
  try {
    (await createImageBitmap(file)).close();
    return file;
  } catch {
    return null; // a PDF, or a format that only the service decodes
  }
}

async function setSheet(next) {
  sheet = next;
  const image = $("sheet-image");
  if (image.src) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(sheet.picture);
  await image.decode();
  $("sheet").hidden = false;
  Object.assign($("sheet-page"), { max: sheet.pages });
  $("sheet-pages").hidden = sheet.pages < 2;
  $("forms").classList.add("open-sheet");
  for (const id of ["add-field", "fields-file", "align", "sheets"]) $(id).disabled = false;
  showFields();
}

// The fields

function addField(box, isTouch = true) {
  const taken = new Set(fields.map(({ name }) => name));
  let number = fields.length + 1;
  while (taken.has(`field${number}`)) number++;
  fields.push({ name: `field${number}`, box, allow: "", pattern: "", choices: "" });
  showFields();
  if (!isTouch) $("field-list").lastElementChild.querySelector("input").select(); // a phone would show its keyboard
}

function removeField(field) {
  fields = fields.filter((each) => each !== field);
  showFields();
  $("add-field").focus();
}

function showFields() {
  marks.show(fields);
  $("field-list").replaceChildren(...fields.map(lineOf));
  $("save-fields").disabled = !fields.length;
  $("no-fields").hidden = fields.length > 0;
}

/** Return the line in which a field is named and constrained. */
function lineOf(field, place) {
  const name = input(field, "name", `Name of field ${place + 1}`, "field-name");
  const remove = Object.assign(element("button", "remove", "×"), { type: "button" });
  const label = () => (remove.ariaLabel = `Remove ${field.name}`);
  label();
  name.addEventListener("input", label);
  remove.addEventListener("click", () => removeField(field));
  const more = element("details", "", element("summary", "", "Pattern or choices"));
  more.open = CONSTRAINTS.some((key) => field[key]);
  more.append(
    captioned("Pattern, a regular expression", input(field, "pattern", `Pattern of field ${place + 1}`)),
    captioned("Or choices, one a line", input(field, "choices", `Choices of field ${place + 1}`, "", "textarea")),
  );
  const line = element("li", "", element("div", "named-field", name, remove), more);
  const light = (isOn) => () => marks.markAt(field)?.classList.toggle("lit", isOn);
  line.addEventListener("focusin", light(true));
  line.addEventListener("focusout", light(false));
  return line;
}

function input(field, key, label, className = "", tag = "input") {
  const made = element(tag, className);
  Object.assign(made, { value: field[key], ariaLabel: label, autocomplete: "off", spellcheck: false });
  if (tag === "textarea") made.rows = 3;
  if (key === "pattern") made.placeholder = "\\d{2}/\\d{2}/\\d{4}";
  made.addEventListener("input", () => {
    field[key] = made.value;
    if (key === "name") marks.rename(field);
  });
  return made;
}

const captioned = (text, control) => element("label", "", text, control);

// fields.toml

/** Write the fields as `inkdigit read --fields` takes them. `reference` is the name of the page that others are aligned to. */
function toToml(reference) {
  const tables = fields.map(({ name, box, ...limits }) => {
    const lines = [`[fields.${basic(name)}]`, `box = [${box.map((side) => side.toFixed(4)).join(", ")}]`];
    const choices = limits.choices.split("\n").map((line) => line.trim()).filter(Boolean);
    if (limits.allow) lines.push(`allow = ${literal(limits.allow)}`);
    if (limits.pattern.trim()) lines.push(`pattern = ${literal(limits.pattern.trim())}`);
    if (choices.length) lines.push("choices = [", ...choices.map((choice) => `  ${basic(choice)},`), "]");
    return `${lines.join("\n")}\n`;
  });
  return [...(reference ? [`reference = ${basic(reference)}\n`] : []), ...tables].join("\n");
}

/** Quote a text for TOML, whose escapes are those of JSON. */
const basic = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

/** Quote a text as it is, where that is possible: a pattern is full of backslashes. */
const literal = (text) => (/^[\x20-\x26\x28-\x7e]*$/.test(text) ? `'${text}'` : basic(text));

function checkNames() {
  const names = fields.map(({ name }) => name.trim());
  if (names.includes("")) throw new Error("Every field needs a name.");
  const repeated = names.find((name, place) => names.indexOf(name) !== place);
  if (repeated) throw new Error(`Two fields have the name ${repeated}.`);
  fields.forEach((field, place) => (field.name = names[place]));
}

async function saveFields() {
  checkNames();
  const isAligned = $("align").checked;
  download(SAVED, "application/toml", toToml(isAligned && sheet.name));
  if (isAligned && sheet.picture !== sheet.file) download(sheet.name, "image/png", sheet.picture);
}

async function loadFields([file]) {
  const { fields: found, width, height, reference } = await showSheet(sheet.picture, { fields: await file.text() });
  const scale = [width, height, width, height];
  fields = found.map(({ name, box, allow = "", pattern = "", choices = [] }) => ({
    name,
    box: box.map((side, place) => Math.min(side / scale[place], 1)),
    allow,
    pattern,
    choices: choices.join("\n"),
  }));
  $("align").checked ||= Boolean(reference);
  showFields();
}

// Reading

async function readSheets(files) {
  if (!fields.length) throw new Error("Mark a field first: drag a box on the sheet.");
  checkNames();
  reading.abort();
  reading = new AbortController();
  const { signal } = reading;
  const described = toToml($("align").checked && sheet.name);
  const options = { fields: described, reference: $("align").checked ? sheet.picture : null, signal };
  const names = fields.map(({ name }) => name);
  table.begin(names, files.length);
  try {
    let done = 0;
    for (const chunk of chunksOf(files, CHUNK_SHEETS)) {
      table.add(await readForms(chunk, options));
      table.progress((done += chunk.length), files.length);
    }
  } finally {
    if (!signal.aborted) table.end();
  }
}

// Events

/** Do something, and say in one sentence why it failed. */
async function attempt(act) {
  $("form-error").textContent = "";
  $("forms").ariaBusy = "true";
  try {
    await act();
  } catch (error) {
    if (error.name !== "AbortError") $("form-error").textContent = error.message;
  } finally {
    $("forms").ariaBusy = "false";
  }
}

/** Take files that were dropped on the tool: the sheet if there is none yet, else sheets to read. */
export function takeSheets(files) {
  if (files.length) attempt(() => (sheet ? readSheets(files) : openSheet(files[0])));
}

function onFiles(id, act) {
  $(id).addEventListener("change", ({ target }) => {
    const files = [...target.files];
    target.value = ""; // so that the same file can be chosen again
    if (files.length) attempt(() => act(files));
  });
}

export function listenToForms() {
  onFiles("sheet-file", ([file]) => {
    $("sheet-page").value = 1;
    return openSheet(file);
  });
  onFiles("fields-file", loadFields);
  onFiles("sheets", readSheets);
  $("sheet-page").addEventListener("change", ({ target }) => attempt(() => openSheet(sheet.file, Number(target.value) || 1)));
  $("add-field").addEventListener("click", () => addField(CENTRE, false));
  $("save-fields").addEventListener("click", () => attempt(saveFields));
  $("stop-reading").addEventListener("click", () => {
    reading.abort();
    table.end();
  });
}
