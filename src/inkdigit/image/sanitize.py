"""Strip an image file to what its pixels need before it is opened, or refuse it.

Metadata may cost a decoder far more time than its bytes: hundreds of entries that share the same
megabytes, texts that inflate a thousandfold, comments that are joined one by one, scans that refine nothing.
"""

import struct
from collections.abc import Iterator

from ..errors import InputError
from .png import PNG, TURNED

PARTS = 20_000  # of a file before its pixels, or of these: encoders write some thousand at the most
SCANS = 64  # of a JPEG: encoders write ten
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
# W3C, Portable Network Graphics (PNG) Specification (Third Edition), section 11.
CHUNKS, TEXTS = {b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"}, {b"tEXt", b"zTXt", b"iTXt"}
# ITU-T Recommendation T.81, table B.1: segments of notes (all of applications but those that tell what the colours are,
# and comments), and markers that stand alone, padding among them.
JPEG = b"\xff\xd8"
APP1, SCAN = 0xE1, 0xDA
NOTES, LONE = {*range(APP1, 0xEE), 0xEF, 0xFE}, {0x00, 0x01, *range(0xD0, 0xDA), 0xFF}
# CompuServe, Graphics Interchange Format 89a, sections 20 to 26.
GIF = b"GIF8"
PICTURE, EXTENSION, CONTROL = b",", b"!", b"!\xf9"
# TIFF 6.0, section 2, and BigTIFF: by a file's start, its byte order, and what offsets and counts of entries are; and
# how many bytes a value of each type takes.
TIFFS = {
    b"II*\0": ("<", "L", "H"),
    b"MM\0*": (">", "L", "H"),
    b"II+\0": ("<", "Q", "Q"),
    b"MM\0+": (">", "Q", "Q"),
}
TYPE_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # all others 1


def sanitize(data: bytes) -> bytes:
    """Return an image file without unneeded metadata. Raises InputError if it has too many parts."""
    for start, parts in ((PNG, _chunks), (JPEG, _segments), (GIF, _blocks)):
        if data.startswith(start):
            view = memoryview(data)
            return b"".join(view[first:last] for first, last in parts(data))
    if not is_honest(data):
        raise _refused()
    return data


def is_honest(data: bytes) -> bool:
    """Return whether the entries of a TIFF's first directory, or of EXIF, claim no more bytes than there are."""
    data = data.removeprefix(EXIF)
    order, word, counter = TIFFS.get(data[:4], ("", "L", "H"))
    try:
        return not order or _claimed(data, order, word, counter) <= len(data)
    except (struct.error, OverflowError):  # no directory: the decoder reports that
        return True


def _claimed(data: bytes, order: str, word: str, counter: str) -> int:
    """Add up the bytes that the entries of the first directory say they have elsewhere."""
    number, entry = struct.Struct(order + counter), struct.Struct(f"{order}HH{word}{word}")
    wide = struct.calcsize(order + word)
    (at,) = struct.unpack_from(order + word, data, wide)
    (count,) = number.unpack_from(data, at)
    at += number.size
    there = range(at, min(at + count * entry.size, len(data) - entry.size + 1), entry.size)
    entries = (entry.unpack_from(data, place) for place in there)
    sizes = (TYPE_SIZES.get(kind, 1) * values for _, kind, values, _ in entries)
    return sum(size for size in sizes if size > wide)


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the spans of a PNG's signature and needed chunks; of texts, the first of each kind that may hold a turn."""
    yield 0, len(PNG)
    at = len(PNG)
    telling = set(TURNED)
    for _ in range(PARTS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + length + 12
        told = {mark for mark in telling if kind in TEXTS and data.startswith(mark, at + 8)}
        telling -= told
        if told or kind in CHUNKS:
            yield at, end
        at = end
    raise _refused()


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Find where a JPEG's start, its needed segments and its scans are."""
    yield 0, len(JPEG)
    at = len(JPEG)
    telling = {EXIF, XMP}
    for _ in range(PARTS):
        at = data.find(b"\xff", at)
        if not 0 <= at <= len(data) - 4:
            return
        marker, length = struct.unpack_from(">BH", data, at + 1)
        end = at + length + 2
        if marker in LONE:
            at += 1
            continue
        if marker == SCAN:
            # In what follows the pixels, which may be a film, one comes by chance every 64 KiB.
            if data.count(bytes((0xFF, SCAN)), at) > SCANS + len(data) // 2**16:
                raise _refused()
            yield at, len(data)
            return
        told = {mark for mark in telling if marker == APP1 and data.startswith(mark, at + 4)}
        telling -= told
        if marker not in NOTES or (told and is_honest(data[at + 4 : end])):
            yield at, end
        at = end
    raise _refused()


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Find where a GIF's start, its control blocks, and all from its first picture on are."""
    flags = data[10] if len(data) > 10 else 0
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    yield 0, at
    parts = 0
    while at < len(data) and not data.startswith(PICTURE, at):
        start = at
        if data.startswith(EXTENSION, at):
            at += 2
            while at < len(data) and data[at]:  # each piece after its length; none is the end
                at += data[at] + 1
                parts += 1
        at += 1
        parts += 1
        if parts > PARTS:
            raise _refused()
        if data.startswith(CONTROL, start):
            yield start, at
    yield at, len(data)


def _refused() -> InputError:
    return InputError("The picture has more parts, or larger ones, than any that is written so.", "broken_image")
