/**
 * Boxes that are dragged on a sheet, by mouse, finger or keys.
 *
 * @typedef {{name: string, box: number[], pattern: string, choices: string}} Field with `box` left, top, right, bottom in
 *   parts of the sheet
 */

import { element } from "./form.js";

const SMALLEST = 6; // px: a shorter drag is a click
const STEP = 0.005; // of the sheet, by which an arrow key moves
const TOP = 0.04; // of the sheet, where there is no room for a name above a box
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HELP = "Arrow keys move it, with Shift they change its size, Delete removes it.";

const clamp = (value, least = 0, most = 1) => Math.min(Math.max(value, least), most);

/** The boxes on one sheet. */
export class Marks {
  /**
   * @param {HTMLElement} area that covers the sheet
   * @param {{add: (box: number[], isTouch: boolean) => void, change: (field: Field) => void, remove: (field: Field) => void}} on
   *   what is called when a box was dragged, and when one was moved or removed
   */
  constructor(area, on) {
    Object.assign(this, { area, on, drag: null });
    const pointer = { pointerdown: this.begin, pointermove: this.move, pointerup: this.end, pointercancel: this.cancel };
    for (const [name, handle] of Object.entries(pointer)) area.addEventListener(name, handle.bind(this));
    area.addEventListener("keydown", this.onKey.bind(this));
  }

  /** Show the boxes of fields. @param {Field[]} fields */
  show(fields) {
    const focused = document.activeElement?.field;
    this.area.replaceChildren(...fields.map((field) => this.markOf(field)));
    if (focused) this.markAt(focused)?.focus();
  }

  markOf(field) {
    const mark = element("button", "mark", element("span"), element("i", "handle"));
    Object.assign(mark, { type: "button", field });
    label(mark);
    place(mark, field.box);
    return mark;
  }

  /** Show a field's new name. */
  rename = (field) => label(this.markAt(field));

  markAt = (field) => [...this.area.children].find((mark) => mark.field === field);

  /** Return where an event is, in parts of the sheet. */
  at({ clientX, clientY }) {
    const { left, top, width, height } = this.area.getBoundingClientRect();
    return [clamp((clientX - left) / width), clamp((clientY - top) / height)];
  }

  begin(event) {
    if (this.drag || event.button !== 0 || !event.isPrimary) return;
    event.preventDefault(); // no text is selected
    this.area.setPointerCapture(event.pointerId);
    const mark = event.target.closest(".mark");
    const kind = !mark ? "new" : event.target.closest(".handle") ? "size" : "move";
    const from = this.at(event);
    this.drag = { kind, from, mark: mark ?? element("i", "mark drawn"), field: mark?.field, id: event.pointerId };
    this.drag.before = this.drag.box = mark?.field.box ?? [...from, ...from];
    if (mark) mark.focus();
    else this.area.append(this.drag.mark);
    place(this.drag.mark, this.drag.box);
  }

  move(event) {
    if (event.pointerId !== this.drag?.id) return;
    const { kind, from, before } = this.drag;
    const to = this.at(event);
    const by = [to[0] - from[0], to[1] - from[1]];
    this.drag.box = kind === "new" ? ordered(from, to) : kind === "size" ? sized(before, by) : moved(before, by);
    place(this.drag.mark, this.drag.box);
  }

  end(event) {
    if (event.pointerId !== this.drag?.id) return;
    this.move(event);
    const { kind, mark, field, box } = this.drag;
    const { width, height } = mark.getBoundingClientRect();
    this.drag = null;
    if (kind !== "new") return this.set(field, box);
    mark.remove();
    if (Math.min(width, height) >= SMALLEST) this.on.add(box, event.pointerType === "touch");
  }

  /** A second finger zooms, so the first one draws nothing. */
  cancel(event) {
    if (event.pointerId !== this.drag?.id) return;
    const { kind, mark, before } = this.drag;
    this.drag = null;
    if (kind === "new") mark.remove();
    else place(mark, before);
  }

  set(field, box) {
    field.box = box;
    place(this.markAt(field), box);
    this.on.change(field);
  }

  onKey(event) {
    const { field } = event.target;
    if (!field || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = KEYS[event.key]?.map((way) => way * STEP);
    if (by) this.set(field, (event.shiftKey ? sized : moved)(field.box, by));
    else if (["Delete", "Backspace"].includes(event.key)) this.on.remove(field);
    else return;
    event.preventDefault();
  }
}

const ordered = (one, other) => [
  Math.min(one[0], other[0]), Math.min(one[1], other[1]), Math.max(one[0], other[0]), Math.max(one[1], other[1]),
];

/** Move a box, no further than the sheet's edges. */
function moved([left, top, right, bottom], [x, y]) {
  const [dx, dy] = [clamp(x, -left, 1 - right), clamp(y, -top, 1 - bottom)];
  return [left + dx, top + dy, right + dx, bottom + dy];
}

/** Move the lower right corner of a box. */
const sized = ([left, top, right, bottom], [x, y]) => [
  left, top, clamp(right + x, left + STEP, 1), clamp(bottom + y, top + STEP, 1),
];

function label(mark) {
  mark.firstChild.textContent = mark.field.name;
  mark.ariaLabel = `Field ${mark.field.name}. ${HELP}`;
}

function place(mark, [left, top, right, bottom]) {
  const [x, y, width, height] = [left, top, right - left, bottom - top].map((part) => `${100 * part}%`);
  Object.assign(mark.style, { left: x, top: y, width, height });
  mark.classList.toggle("inside", top < TOP); // there the name is not cut off
}
