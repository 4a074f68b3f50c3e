"""`inkdigit read`, as a process: text, JSON, CSV, constraints and annotated copies."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, PdfParser

from ..browser.strokes import DIGITS, placed
from ..forms.sheets import CODE, MARK, filled
from ..pictures import encoded
from .command import inkdigit


def written(*numbers: tuple[str, int, int]) -> Image.Image:
    """Return a page with numbers, each at its left and top in px."""
    page = Image.new("L", (640, 320), 255)
    for text, left, top in numbers:
        for place, digit in enumerate(text):
            for stroke in placed(DIGITS[int(digit)], left + 60 * place, top, 48, 80):
                ImageDraw.Draw(page).line(stroke, fill=0, width=7, joint="curve")
    return page


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Return a folder with a page of three numbers in two rows, a blank page and a broken one."""
    folder = tmp_path / "pages"
    folder.mkdir()
    written(("42", 40, 40), ("71", 400, 40), ("503", 40, 200)).save(folder / "a.png")
    (folder / "blank.png").write_bytes(encoded(Image.new("L", (90, 90), 255)))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_rows_are_lines_and_errors_go_to_stderr(pages: Path) -> None:
    out, err = inkdigit("read", pages, code=1)
    name = str(pages / "a.png")
    lines = [line.removeprefix(f"{name}: ").split("  ")[0] for line in out.splitlines() if line.startswith(name)]
    assert lines == ["42 71", "503"]
    assert f"{pages / 'blank.png'}: no number\n" in out
    assert err.startswith(f"{pages / 'broken.png'}: ")


def test_json_is_the_http_answer_and_the_file(pages: Path) -> None:
    out, _ = inkdigit("read", "--json", pages, code=1)
    page, blank, broken = (json.loads(line) for line in out.splitlines())
    assert list(page) == ["file", "text", "confidence", "is_sure", "numbers", "model"]
    assert page["text"] == "42 71\n503"
    assert [number["row"] for number in page["numbers"]] == [0, 0, 1]
    left, top, right, bottom = page["numbers"][0]["box"]
    assert 20 < left < 60 < right < 170
    assert 20 < top < 60 < bottom < 140
    assert (blank["text"], blank["numbers"], blank["confidence"]) == ("", [], 1.0)
    assert set(broken) == {"file", "error"}


def test_csv_has_a_line_per_number(pages: Path) -> None:
    out, err = inkdigit("read", "--csv", pages, code=1)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["file", "row", "text", "confidence", "is_sure", "left", "top", "right", "bottom"]
    assert [(row["row"], row["text"]) for row in rows] == [("0", "42"), ("0", "71"), ("1", "503")]
    assert "broken.png" in err


def test_only_allowed_characters_occur(pages: Path) -> None:
    page = json.loads(inkdigit("read", "--json", "--allow", "0123456789", pages / "a.png")[0])
    assert page["text"].split() == ["42", "71", "503"]
    for allow in ("abc", ""):
        out, err = inkdigit("read", "--allow", allow, pages / "a.png", code=2)
        assert (out, err.count("\n")) == ("", 1)


def test_numbers_match_a_pattern_or_a_list(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("42\n71\n\n508\n")
    out, _ = inkdigit("read", "--choices", tmp_path / "list.txt", pages / "a.png")
    assert [line.split(": ")[1].split("  ")[0] for line in out.splitlines()] == ["42 71", "503"]
    assert out.splitlines()[1].endswith("no match")
    page = json.loads(inkdigit("read", "--json", "--pattern", r"^\d{2,3}$", pages / "a.png")[0])
    assert page["text"].split() == ["42", "71", "503"]
    for wrong in (["--pattern", "("], ["--choices", tmp_path / "none.txt"], ["--choices", pages / "a.png"]):
        out, err = inkdigit("read", *wrong, pages / "a.png", code=2)
        assert (out, err.count("\n")) == ("", 1)


def test_annotated_copies_are_written_beside_each_other(pages: Path, tmp_path: Path) -> None:
    (pages / "more").mkdir()
    written(("9", 100, 100)).save(pages / "more" / "a.png")
    inkdigit(
        "read",
        "--annotate",
        tmp_path / "new" / "copies",
        pages / "a.png",
        pages / "more",
        "-",
        stdin=encoded(written(("8", 50, 50))),
    )
    copies = sorted((tmp_path / "new" / "copies").iterdir())
    assert [path.name for path in copies] == ["a-2.png", "a.png", "stdin.png"]
    with Image.open(copies[0]) as copy:
        assert (copy.size, copy.mode) == ((640, 320), "RGB")
        assert np.ptp(np.asarray(copy, int), axis=2).max() > 50, "boxes in colour"


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_read(pages: Path) -> None:
    out, err = inkdigit("read", "--annotate", pages / "a.png" / "copies", pages, code=2)
    assert (out, err.count("\n")) == ("", 1)


def test_a_pdf_counts_as_its_pages(pages: Path, tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    first, second = written(("42", 40, 40)), written(("71", 40, 40))
    first.save(pages / "two.pdf", save_all=True, append_images=[second])
    (pages / "wrong.pdf").write_bytes(b"%PDF-1.7")
    out, err = inkdigit("read", "--annotate", tmp_path / "copies", pages, code=1)
    assert f"{pages / 'two.pdf'}#1: 42" in out
    assert f"{pages / 'two.pdf'}#2: 71" in out
    assert f"{pages / 'wrong.pdf'}: The PDF is damaged" in err
    assert {"two-1.png", "two-2.png"} <= {path.name for path in (tmp_path / "copies").iterdir()}


def test_an_excel_table_keeps_texts_and_errors(pages: Path, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="the extra `xlsx` is not installed")
    inkdigit("read", "--xlsx", tmp_path / "new" / "table.xlsx", pages, code=1)
    with zipfile.ZipFile(tmp_path / "new" / "table.xlsx") as book:
        strings = re.findall(r"<t[^>]*>(.*?)</t>", book.read("xl/sharedStrings.xml").decode())
    assert {"text", "error", "42", "71", "503", str(pages / "broken.png")} <= set(strings)
    assert any("not a picture" in string for string in strings)
    out, err = inkdigit("read", "--xlsx", pages / "a.png" / "table.xlsx", pages, code=2)
    assert (out, err.count("\n")) == ("", 1)


def test_annotated_copies_become_one_pdf(pages: Path, tmp_path: Path) -> None:
    written(("9", 100, 100)).save(pages / "b.png")
    inkdigit("read", "--annotate", tmp_path / "copies.pdf", pages, code=1)
    with PdfParser.PdfParser(str(tmp_path / "copies.pdf")) as copies:
        assert len(copies.pages) == 3, "all but the broken one"
    assert list(tmp_path.glob("tmp*")) == []


def test_a_stopped_run_goes_on(pages: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    whole, _ = inkdigit("read", "--json", "--resume", journal, pages, code=1)
    head, first, _ = journal.read_text().splitlines()
    changed = json.loads(first)
    changed["answer"]["numbers"][0]["text"] = "43"  # so that it is seen where a reading comes from
    journal.write_text(f"{head}\n{json.dumps(changed)}\n" + '{"file": "cut o')
    again, _ = inkdigit("read", "--json", "--resume", journal, pages, code=1)
    assert again.splitlines()[1:] == whole.splitlines()[1:]
    assert json.loads(again.splitlines()[0])["text"] == "43 71\n503"
    os.utime(pages / "a.png", (1, 1))
    assert inkdigit("read", "--json", "--resume", journal, pages, code=1)[0] == whole
    out, err = inkdigit("read", "--resume", journal, "--allow", "0123456789", pages, code=2)
    assert (out, err.count("\n")) == ("", 1)


def test_ctrl_c_stops_and_keeps_what_was_read(tmp_path: Path) -> None:
    folder, journal = tmp_path / "pages", tmp_path / "journal.jsonl"
    folder.mkdir()
    for place in range(60):
        written(("42", 40, 40)).save(folder / f"{place:02}.png")
    command = [sys.executable, "-m", "inkdigit", "read", "--resume", str(journal), str(folder)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.readline()  # by now the first page is in the journal
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert b"Traceback" not in err
    assert 1 < len(journal.read_text().splitlines()) < 60


def test_fields_are_columns_and_pages_are_rows(tmp_path: Path) -> None:
    pages, fields = tmp_path / "pages", tmp_path / "fields.toml"
    pages.mkdir()
    filled("1047", "15").save(pages / "one.png")
    (pages / "two.png").write_bytes(b"no picture")
    fields.write_text(f"[fields.code]\nbox = {list(CODE)}\n[fields.mark]\nbox = {list(MARK)}\n")
    out, err = inkdigit("read", pages, "--fields", fields, "--review", tmp_path / "review.html", code=1)
    first, second = csv.DictReader(io.StringIO(out))
    assert list(first) == ["file", "code", "code confidence", "mark", "mark confidence", "check", "error"]
    assert (first["code"], first["mark"], first["error"]) == ("1047", "15", "")
    assert (second["code"], second["check"]) == ("", "")
    assert "not a picture" in second["error"]
    assert "two.png" in err
    assert "1047" in (tmp_path / "review.html").read_text()
    resume = ("read", pages, "--fields", fields, "--resume", tmp_path / "journal.jsonl")
    assert inkdigit(*resume, code=1)[0] == out
    journal = (tmp_path / "journal.jsonl").read_text()
    (tmp_path / "journal.jsonl").write_text(journal.replace('"1047"', '"1048"'))
    assert inkdigit(*resume, "--xlsx", tmp_path / "table.xlsx", code=1)[0] == out.replace("1047", "1048")
    page = json.loads(inkdigit("read", "--json", pages / "one.png", "--fields", fields)[0])
    assert page["fields"]["code"]["text"] == "1047"
    for wrong in (["--fields", tmp_path / "none.toml"], ["--fields", fields, "--pattern", "1"]):
        out, err = inkdigit("read", pages, *wrong, code=2)
        assert out == ""
        assert "Traceback" not in err
