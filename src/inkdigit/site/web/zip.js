/** Zip archives whose files are stored as they are: pictures are compressed already (PKWARE, APPNOTE 6.3.10). */

const VERSION = 20; // of the format: 2.0
const UTF8 = 0x0800; // a flag: how names are written
const DATE = 33; // 1980-01-01, the first that the format knows
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

const crc32 = (bytes) => ~bytes.reduce((crc, byte) => TABLE[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;

/** Return numbers as little-endian bytes; `values` are [number, how many bytes] each. */
function packed(...values) {
  const bytesOf = ([value, size]) => Array.from({ length: size }, (_, at) => value >>> (8 * at));
  return Uint8Array.from(values.flatMap(bytesOf));
}

/**
 * Return a zip archive.
 *
 * @param {[string, Uint8Array][]} files names, with slashes between folders, and contents
 */
export function zip(files) {
  const [parts, directory] = [[], []];
  let at = 0;
  for (const [path, content] of files) {
    const name = new TextEncoder().encode(path);
    const sizes = [[crc32(content), 4], [content.length, 4], [content.length, 4], [name.length, 2], [0, 2]];
    const shared = packed([VERSION, 2], [UTF8, 2], [0, 4], [DATE, 2], ...sizes);
    directory.push(packed([0x02014b50, 4], [VERSION, 2]), shared, packed([0, 10], [at, 4]), name);
    parts.push(packed([0x04034b50, 4]), shared, name, content);
    at += 4 + shared.length + name.length + content.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = [files.length, 2];
  const end = packed([0x06054b50, 4], [0, 4], count, count, [length, 4], [at, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
