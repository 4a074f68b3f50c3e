"""Damaged pictures through `load_pixels`: each is read, or refused by an InputError, in under a second.

    python bench/fuzz.py [--count 1000000] [--first 0]

Small pictures in every format are damaged: bytes changed, removed, repeated, swapped between files, cut off; half of
the PNGs get fitting checksums again, so that what lies behind them is reached. A case is its number; `--first N
--count 1` runs one again. They are read in a process of their own, so that a crash ends that alone and is reported
with its case, as is one that takes over a second, any other exception, and memory that grows: then the exit code is 1.
"""

import argparse
import contextlib
import io
import math
import multiprocessing
import random
import statistics
import struct
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkdigit.errors import InputError
from inkdigit.image import PREDICT_SIDE, load_pixels, open_image
from inkdigit.image.formats import picture_formats

SLOW = 1.0  # seconds of processor time
LARGE = 16_000_000  # pixels, over which a picture may take longer: up to 64 million are read
STUCK = 60.0  # seconds by the clock, on a machine that may be busy
REPORT = 20_000
GROWTH = 10 * 1024**2  # bytes that memory may grow, from the first tenth of the reports to the last (medians)
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def seeds() -> list[bytes]:
    """Make small pictures in every format, depth and compression that the decoders tell apart."""
    ramp = np.add.outer(np.arange(24) * 5, np.arange(20) * 6).astype(np.uint8)
    grey = Image.fromarray(ramp)
    colour = Image.merge("RGB", [grey, grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT), Image.new("L", grey.size, 99)])
    drawn = colour.copy()
    drawn.putalpha(grey)
    deep = Image.fromarray(ramp.astype(np.uint16) * 257)
    palette, bits = colour.quantize(16), grey.convert("1")
    exif = Image.Exif()
    exif[0x0112] = 6
    made = [_saved(picture, "PNG") for picture in (grey, colour, drawn, deep, palette, bits, grey.convert("LA"))]
    made += [_saved(palette, "PNG", transparency=0), _saved(colour, "PNG", exif=exif, transparency=(1, 2, 3))]
    made += [_saved(colour, "PNG", save_all=True, append_images=[grey.convert("RGB")])]
    made += [_saved(picture, "JPEG", exif=exif) for picture in (grey, colour, colour.convert("CMYK"))]
    made += [_saved(colour, "JPEG", progressive=True), _saved(colour, "MPO", save_all=True, append_images=[colour])]
    made += [_saved(drawn, "WEBP", lossless=lossless, exif=exif) for lossless in (True, False)]
    made += [_saved(colour, "WEBP", save_all=True, append_images=[grey.convert("RGB")])]
    made += [_saved(picture, "GIF") for picture in (grey, palette)]
    made += [_saved(palette, "GIF", save_all=True, append_images=[palette.rotate(90)], transparency=1)]
    made += [_saved(picture, "BMP") for picture in (grey, colour, palette, bits)]
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        made += [_saved(picture, "TIFF", compression=compression) for picture in (grey, colour)]
    made += [
        _saved(bits, "TIFF", compression="group4"),
        _saved(deep, "TIFF"),
        _saved(drawn, "TIFF"),
        _saved(palette, "TIFF"),
    ]
    notes = PngInfo()
    for name in ("note", "XML:com.adobe.xmp"):
        notes.add_text(name, "x" * 400, zip=True)
    made += [_saved(colour, "PNG", pnginfo=notes, icc_profile=b"profile" * 9, transparency=(1, 2, 3))]
    made += [_saved(grey, "JPEG", comment=b"note", icc_profile=b"profile" * 9, exif=exif, progressive=True)]
    made += [_saved(palette, "GIF", comment=b"note" * 90), _saved(grey, "TIFF", tiffinfo={270: "note" * 30, 274: 6})]
    if "HEIF" in picture_formats():
        made += [_saved(colour, "HEIF"), _saved(drawn, "HEIF")]
    return made


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def damaged(case: int, files: list[bytes]) -> bytes:
    """Damage one of the files, by the case's own random numbers."""
    rng = random.Random(case)
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        _damage(data, rng, files)
    if data.startswith(PNG_HEAD) and rng.random() < 0.5:
        data = _with_checksums(data)
    return bytes(data)


def _damage(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Change bytes in one of several ways; half of the changes hit the header, where sizes and types are."""
    end = max(1, min(len(data), 64) if rng.random() < 0.5 else len(data))
    place, length = rng.randrange(end), rng.choice((1, 1, 2, 4, 16, 64))
    way = rng.randrange(7)
    if way == 0:
        data[place : place + 1] = bytes([rng.randrange(256)])
    elif way == 1:
        data[place : place + length] = rng.randbytes(length)
    elif way == 2:
        data[place : place + length] = rng.choice((b"\x00", b"\xff", b"\x7f", b"\x80")) * length
    elif way == 3:
        del data[place : place + length]
    elif way == 4:
        data[place:place] = data[place : place + length] * rng.choice((1, 2, 50))
    elif way == 5:
        other = rng.choice(files)
        start = rng.randrange(len(other))
        data[place : place + length] = other[start : start + length * rng.choice((1, 8))]
    else:
        del data[place:]


def _with_checksums(data: bytearray) -> bytearray:
    """Write the correct checksum into every complete chunk of a PNG."""
    place = len(PNG_HEAD)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", data, end, zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return data


def read(data: bytes) -> str:
    """Read a picture and return the outcome. Raises any exception other than an InputError."""
    try:
        pixels = load_pixels(data)
    except InputError as error:
        return error.code
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or not 0 < max(pixels.shape) <= PREDICT_SIDE:
        raise AssertionError(f"pixels {pixels.dtype} {pixels.shape}")
    return "read"


def run(
    first: int,
    count: int,
    current: "multiprocessing.sharedctypes.Synchronized[int]",
    said: "multiprocessing.SimpleQueue[tuple[str, object]]",
) -> None:
    """Read the cases, in a process of its own; `current` holds the case's number, and `said` gets messages."""
    warnings.simplefilter("ignore")
    files, ends = seeds(), Counter[str]()
    for case in range(first, first + count):
        current.value = case
        data = damaged(case, files)
        start = time.process_time()
        try:
            ends[read(data)] += 1
        except BaseException as error:  # noqa: BLE001  this is what is looked for
            said.put(("fault", f"case {case}: {type(error).__name__}: {error}"))
        if (took := time.process_time() - start) > SLOW:
            pixels = math.prod(open_image(data).size)
            said.put(("fault" if pixels <= LARGE else "large", f"case {case}: {took:.1f} s, {pixels:,} pixels"))
        if (case - first + 1) % REPORT == 0 or case == first + count - 1:
            said.put(("report", (dict(ends), _memory())))
            ends.clear()


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def watched(first: int, count: int) -> Iterator[tuple[str, object]]:
    """Run the cases in a process; after a crash or a hang, restart behind that case. Yield the messages."""
    context = multiprocessing.get_context("spawn")
    end = first + count
    while first < end:
        current, said = context.Value("q", first), context.SimpleQueue()
        process = context.Process(target=run, args=(first, end - first, current, said))
        process.start()
        seen, since = -1, time.monotonic()
        while process.is_alive() or not said.empty():
            while not said.empty():
                yield said.get()
            process.join(0.2)
            if current.value != seen:
                seen, since = current.value, time.monotonic()
            elif process.is_alive() and time.monotonic() - since > STUCK:
                process.kill()
        if process.exitcode == 0:
            return
        yield "fault", f"case {current.value}: the process ended with {process.exitcode}"
        first = current.value + 1


def main() -> None:
    """Run the cases and print the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    ends, faults, memory = Counter[str](), 0, []
    with contextlib.suppress(KeyboardInterrupt):
        for kind, what in watched(options.first, options.count):
            if kind != "report":
                faults += kind == "fault"
                print(what, flush=True)
                continue
            assert isinstance(what, tuple)
            ends.update(what[0])
            memory.append(what[1])
            print(f"{ends.total():,} pictures, {memory[-1] / 1024**2:.0f} MiB", flush=True)
    tenth = max(1, len(memory) // 10)
    grown = statistics.median(memory[-tenth:]) - statistics.median(memory[:tenth]) if memory else 0
    print(
        f"{ends.total():,} pictures: {dict(ends.most_common())}; {faults} faults; memory grew {grown / 1024**2:.1f} MiB"
    )
    sys.exit(int(faults > 0 or grown > GROWTH))


if __name__ == "__main__":
    main()
