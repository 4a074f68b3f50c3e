/** Zip archives whose files are stored as they are: pictures are compressed already (PKWARE, APPNOTE 6.3.10). */

const DATE = 33; // 1980-01-01, the first that the format knows
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

const crc32 = (bytes) => ~bytes.reduce((crc, byte) => TABLE[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;

/** Return numbers as little-endian bytes; `values` are [number, how many bytes] each. */
const packed = (...values) => Uint8Array.from(values.flatMap(([value, size]) => Array.from({ length: size }, (_, at) => value >>> (8 * at))));

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
    const size = [content.length, 4];
    const shared = packed([20, 2], [0x0800, 2], [0, 2], [0, 2], [DATE, 2], [crc32(content), 4], size, size, [name.length, 2], [0, 2]);
    directory.push(packed([0x02014b50, 4], [20, 2]), shared, packed([0, 10], [at, 4]), name);
    parts.push(packed([0x04034b50, 4]), shared, name, content);
    at += 4 + shared.length + name.length + content.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = [files.length, 2];
  const end = packed([0x06054b50, 4], [0, 4], count, count, [length, 4], [at, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
