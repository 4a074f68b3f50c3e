/**
 * Bytes to pixels in a browser: the one second implementation of what `image/` does in Python. Change both.
 *
 * The browser decodes; its 2D canvas multiplies colours by their alpha, so PNG files go through ImageDecoder, where the
 * browser has it. `tests/site/test_pixels.py` holds this module against `image/`.
 *
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Picture four values a pixel: RGBA
 */

import { range, sum } from "./numeric.js";

const MAX_BYTES = 10 * 1024 ** 2;
const MAX_PIXELS = 64 * 1024 ** 2;
export const [PREDICT_SIDE, READ_SIDE] = [1600, 3200]; // px: the longest side that `predict` and `read` see

const DAMAGED = "The picture is truncated or damaged and cannot be read.";
const FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "GIF"];
const ELSEWHERE = ["TIFF", "HEIC"]; // formats that few browsers decode

/** An image cannot be read: one sentence for people, and a `code` for programs. */
export class InputError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/**
 * Return the pixels of an image file, gray [height × width], upright, of either polarity, with sides of at most `maxSide`
 * px; and its `reduction`: how many px of the image one of them stands for. Throws InputError.
 *
 * @param {Blob} blob
 */
export async function loadPixels(blob, maxSide) {
  if (blob.size > MAX_BYTES)
    throw new InputError(`The picture is larger than ${MAX_BYTES / 1024 ** 2} MiB.`, "too_many_bytes");
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const format = formatOf(bytes);
  checkHeader(bytes, format);
  const picture = await decode(blob, bytes, format);
  checkSize([picture.width, picture.height]);
  const factor = reductionOf(Math.max(picture.width, picture.height), maxSide);
  return { ...toGray(factor > 1 ? reduced(picture, factor) : picture), reduction: factor };
}

/** Return the power of two that brings a side to at most `maxSide` px. */
export const reductionOf = (side, maxSide) => 2 ** Math.max(0, Math.ceil(Math.log2(Math.floor((side - 1) / maxSide) + 1)));

function checkSize([width, height]) {
  if (width * height > MAX_PIXELS)
    throw new InputError(`The picture has more than ${MAX_PIXELS / 1024 ** 2} megapixels.`, "too_many_pixels");
  if (width * height === 0) throw new InputError("The picture has no pixels.", "broken_image");
}

// Headers

const ascii = (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end));

/** Return a file's format by its first bytes. Throws InputError. */
function formatOf(bytes) {
  const start = ascii(bytes, 0, 12);
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (start.startsWith("\xff\xd8")) return "JPEG";
  if (/^RIFF....WEBP/s.test(start)) return "WEBP";
  if (start.startsWith("GIF8")) return "GIF";
  if (start.startsWith("BM")) return "BMP";
  if (/^(II[*+]\0|MM\0[*+])/.test(start)) return "TIFF";
  if (/^....ftyp(heic|heix|hevc|mif1)/s.test(start)) return "HEIC";
  throw new InputError(`This is not a picture in a format that is read (${FORMATS.join(", ")}).`, "unsupported_format");
}

const SIZES = { PNG: pngSize, JPEG: jpegSize, GIF: gifSize, BMP: bmpSize, WEBP: webpSize }; // of a file, by its header

/** Throw InputError if a file has too many pixels, or ends too early. */
function checkHeader(bytes, format) {
  const view = new DataView(bytes.buffer);
  try {
    if (SIZES[format]) checkSize(SIZES[format](view));
    if (!isCut(bytes, view, format)) return;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a RangeError: the header itself is cut
  }
  throw new InputError(DAMAGED, "broken_image");
}

function pngSize(view) {
  return [view.getUint32(16), view.getUint32(20)];
}

function gifSize(view) {
  return [view.getUint16(6, true), view.getUint16(8, true)];
}

function bmpSize(view) {
  return [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
}

function webpSize(view) {
  const three = (at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  const kind = ascii(new Uint8Array(view.buffer), 12, 16);
  if (kind === "VP8X") return [three(24) + 1, three(27) + 1];
  if (kind === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  const packed = view.getUint32(21, true); // VP8L
  return [(packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1];
}

/** Return a JPEG's size: that of its frame header (ITU-T T.81, table B.1). */
function jpegSize(view) {
  const frame = jpegSegment(view, (marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker));
  return [view.getUint16(frame + 7), view.getUint16(frame + 5)];
}

/** Return where the first segment begins whose marker fits. Throws RangeError where there is none. */
function jpegSegment(view, fits) {
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at) !== 0xff || view.getUint8(at + 1) === 0xff) at++; // padding
    if (fits(view.getUint8(at + 1))) return at;
  }
}

/** Return whether a file ends too early: browsers show what is there of it, and Inkdigit refuses it. */
function isCut(bytes, view, format) {
  if (format === "JPEG") return findPair(bytes, jpegSegment(view, (marker) => marker === 0xda), 0xff, 0xd9) < 0;
  if (format === "PNG") return pngChunk(view, "IEND") === null;
  if (format === "WEBP") return view.getUint32(4, true) + 8 > bytes.length;
  if (format === "BMP") return view.getUint32(10, true) >= bytes.length;
  return false;
}

function findPair(bytes, start, first, second) {
  let at = bytes.indexOf(first, start);
  while (at >= 0 && bytes[at + 1] !== second) at = bytes.indexOf(first, at + 1);
  return at;
}

/** Return where the data of a PNG's first chunk of some type begins, and its length; null where there is none. */
function pngChunk(view, type) {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    if (ascii(new Uint8Array(view.buffer), at + 4, at + 8) === type) return [at + 8, view.getUint32(at)];
  }
  return null;
}

// Decoding

/** Decode a file, upright. Throws InputError. */
async function decode(blob, bytes, format) {
  try {
    if (format === "PNG" && typeof ImageDecoder === "function") return turned(await decodePng(bytes), pngTurn(bytes));
    const options = { premultiplyAlpha: "none", colorSpaceConversion: "none", imageOrientation: "from-image" };
    return colours(await createImageBitmap(blob, options));
  } catch (error) {
    if (!ELSEWHERE.includes(format)) throw new InputError(DAMAGED, "broken_image");
    const sentence = `This browser cannot open ${format} pictures. Save the picture as PNG or JPEG.`;
    throw new InputError(sentence, "unsupported_format");
  }
}

/** Return a bitmap's colours; they are multiplied by alpha and divided again, and where it is low lose precision. */
function colours(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

async function decodePng(bytes) {
  const asItIs = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
  const decoder = new ImageDecoder({ data: bytes, type: "image/png", ...asItIs });
  const { image } = await decoder.decode();
  const { width, height } = image.visibleRect;
  const data = new Uint8Array(width * height * 4);
  await image.copyTo(data, { format: "RGBA" });
  image.close();
  decoder.close();
  return { data, width, height };
}

/** Return the orientation (1 to 8) in a PNG's EXIF, 1 where there is none. */
function pngTurn(bytes) {
  const view = new DataView(bytes.buffer);
  const [start, length] = pngChunk(view, "eXIf") ?? [0, 0];
  return length ? orientation(new DataView(bytes.buffer, start, length)) : 1;
}

/** Return the orientation in EXIF data (TIFF 6.0, section 2; tag 274), 1 where it cannot be read. */
function orientation(exif) {
  try {
    const isLittle = exif.getUint16(0) === 0x4949;
    const directory = exif.getUint32(4, isLittle);
    const entries = range(exif.getUint16(directory, isLittle)).map((place) => directory + 2 + 12 * place);
    const found = entries.find((entry) => exif.getUint16(entry, isLittle) === 0x0112);
    return found === undefined ? 1 : exif.getUint16(found + 8, isLittle);
  } catch {
    return 1; // unreadable EXIF is ignored
  }
}

/** Turn a picture upright, by its EXIF orientation: 5 to 8 swap rows and columns, the others mirror. */
function turned(picture, turn) {
  if (!(turn >= 2 && turn <= 8)) return picture;
  const { width, height } = picture;
  const [wide, high] = turn > 4 ? [height, width] : [width, height];
  const source = new Uint32Array(picture.data.buffer);
  const pixels = new Uint32Array(source.length);
  const [mirrorsX, mirrorsY] = [[2, 3, 7, 8].includes(turn), [3, 4, 6, 7].includes(turn)];
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [column, row] = turn > 4 ? [y, x] : [x, y];
      const from = (mirrorsY ? height - 1 - row : row) * width + (mirrorsX ? width - 1 - column : column);
      pixels[y * wide + x] = source[from];
    }
  }
  return { data: new Uint8Array(pixels.buffer), width: wide, height: high };
}

/** Average boxes of `factor`² px, by premultiplied colours; a box at the right or lower edge may be cut. */
function reduced({ data, width, height }, factor) {
  const [wide, high] = [Math.ceil(width / factor), Math.ceil(height / factor)];
  const pixels = new Uint8Array(wide * high * 4);
  for (let row = 0; row < high; row++) {
    for (let column = 0; column < wide; column++) {
      const [right, bottom] = [Math.min((column + 1) * factor, width), Math.min((row + 1) * factor, height)];
      const [totals, count] = [[0, 0, 0, 0], (right - column * factor) * (bottom - row * factor)];
      for (let y = row * factor; y < bottom; y++) {
        for (let at = 4 * (y * width + column * factor), end = 4 * (y * width + right); at < end; at += 4) {
          const alpha = data[at + 3];
          for (let plane = 0; plane < 3; plane++) totals[plane] += by255(data[at + plane] * alpha);
          totals[3] += alpha;
        }
      }
      const [red, green, blue, alpha] = totals.map((total) => Math.floor((total + count / 2) / count));
      const whole = (level) => (alpha === 0 || alpha === 255 ? level : Math.min(255, Math.floor((255 * level) / alpha)));
      pixels.set([whole(red), whole(green), whole(blue), alpha], 4 * (row * wide + column));
    }
  }
  return { data: pixels, width: wide, height: high };
}

/** Divide by 255, rounded, as Pillow and `grayscale.py` do. */
const by255 = (value) => (value + 128 + ((value + 128) >> 8)) >> 8;

// Colour to gray

/** Return colours as gray in which ink of any colour differs from the paper; transparent ink is laid on paper first. */
function toGray({ data, width, height }) {
  const page = isOpaque(data) ? data : onPaper(data, width, height);
  const gray = isGray(page) ? red(page) : project(page, width, height);
  return { data: gray, width, height };
}

const isOpaque = (data) => every(data, (at) => data[at + 3] === 255);
const isGray = (data) => every(data, (at) => data[at] === data[at + 1] && data[at] === data[at + 2]);

function every(data, fits) {
  for (let at = 0; at < data.length; at += 4) if (!fits(at)) return false;
  return true;
}

function red(data) {
  const gray = new Uint8Array(data.length / 4);
  for (let place = 0; place < gray.length; place++) gray[place] = data[4 * place];
  return gray;
}

/** Lay colours by their alpha on the paper that shows them. */
function onPaper(data, width, height) {
  let highest = 0;
  for (let at = 3; at < data.length; at += 4) highest = Math.max(highest, data[at]);
  if (highest === 0) return new Uint8Array(data.length).fill(255);
  const paper = paperOf(data, width, height, highest >> 1);
  const page = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) {
    const alpha = data[at | 3];
    page[at] = (at & 3) === 3 ? 255 : by255(data[at] * alpha + paper[at & 3] * (255 - alpha));
  }
  return page;
}

/**
 * Choose the colour that fills what is transparent, by what is seen: what has more than `alpha`.
 *
 * What is a sheet with ink on it (more colours than one, and most of its box is covered) goes on with its own most common
 * colour. All else is ink, and its paper is black or white, whichever is further from it.
 */
function paperOf(data, width, height, alpha) {
  const counts = [0, 1, 2].map(() => new Uint32Array(256));
  const box = { left: width, top: height, right: -1, bottom: -1 };
  for (let place = 0; place < width * height; place++) {
    if (data[4 * place + 3] <= alpha) continue;
    counts.forEach((levels, plane) => levels[data[4 * place + plane]]++);
    const [x, y] = [place % width, Math.floor(place / width)];
    Object.assign(box, { left: Math.min(box.left, x), right: Math.max(box.right, x) });
    Object.assign(box, { top: Math.min(box.top, y), bottom: Math.max(box.bottom, y) });
  }
  const visible = sum([...counts[0]]);
  const spread = Math.max(...counts.map((levels) => levels.findLastIndex(Boolean) - levels.findIndex(Boolean)));
  if (spread > 64 && visible > 0.6 * (box.right - box.left + 1) * (box.bottom - box.top + 1)) return counts.map(medianOf);
  const total = sum(counts.map((levels) => sum([...levels].map((count, level) => count * level))));
  return Array(3).fill(total / (3 * visible) < 128 ? 255 : 0);
}

/** Return the median of levels that are counted, rounded down. */
function medianOf(counts) {
  const ends = [];
  counts.reduce((seen, count) => (ends.push(seen + count), seen + count), 0);
  const visible = ends.at(-1);
  const level = (rank) => ends.findIndex((end) => end > rank);
  return Math.floor((level(Math.ceil(visible / 2) - 1) + level(Math.floor(visible / 2))) / 2);
}

/**
 * Project colours on the direction in which they differ most, so that ink of any hue stays ink.
 *
 * The direction is the first principal component of the colours (Pearson, 1901), scaled so that its weights' absolute values
 * sum to 1: no value leaves 0..255.
 */
function project(data, width, height) {
  const factor = Math.max(1, Math.floor(Math.max(width, height) / 128));
  const sample = factor > 1 ? reduced({ data, width, height }, factor).data : data;
  const [r, g, b] = direction(sample);
  const offset = -255 * sum([r, g, b].filter((weight) => weight < 0)) + 0.5;
  const gray = new Uint8ClampedArray(data.length / 4);
  for (let place = 0; place < gray.length; place++) {
    const at = 4 * place;
    gray[place] = Math.floor(r * data[at] + g * data[at + 1] + b * data[at + 2] + offset);
  }
  return new Uint8Array(gray.buffer);
}

/** Return the direction [3] in which colours differ most. */
function direction(data) {
  const vector = firstEigenvector(covariance(data));
  const sizes = vector.map(Math.abs);
  const scale = Math.sign(vector[sizes.indexOf(Math.max(...sizes))]) / sum(sizes);
  return vector.map((weight) => weight * scale);
}

function covariance(data) {
  const [count, planes] = [data.length / 4, [0, 1, 2]];
  const means = planes.map((plane) => {
    let total = 0;
    for (let at = plane; at < data.length; at += 4) total += data[at];
    return total / count;
  });
  const between = (one, other) => {
    let total = 0;
    for (let at = 0; at < data.length; at += 4) total += (data[at + one] - means[one]) * (data[at + other] - means[other]);
    return total / count;
  };
  return planes.map((one) => planes.map((other) => between(one, other)));
}

/** Return the eigenvector of a symmetric 3×3 matrix that has the largest eigenvalue, by Jacobi's rotations. */
function firstEigenvector(matrix) {
  const [a, v] = [matrix.map((row) => [...row]), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]];
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]]) {
      if (a[p][q] === 0) continue;
      const angle = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const mix = (row) => ([row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]]);
      a.forEach(mix);
      [a[p], a[q]] = [a[p].map((value, k) => c * value - s * a[q][k]), a[p].map((value, k) => s * value + c * a[q][k])];
      v.forEach(mix);
    }
  }
  const best = [0, 1, 2].reduce((first, place) => (a[place][place] >= a[first][first] ? place : first));
  return v.map((row) => row[best]);
}
