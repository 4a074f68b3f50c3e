"""Fields of forms: what `fields.toml` may say, and pages that are aligned to a reference."""

from pathlib import Path

import numpy as np
import pytest

from inkdigit import InputError, Recognizer
from inkdigit.errors import DataError
from inkdigit.forms.fields import FormReader, load_form

from .sheets import CODE, MARK, SIZE, blank, filled, photographed

PARTS = [round(side / whole, 4) for side, whole in zip(MARK, (*SIZE, *SIZE), strict=True)]
FIELDS = f"""
[fields.code]
box = {list(CODE)}
pattern = '\\d{{4}}'
[fields.mark]
box = {PARTS}
"""


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def form(folder: Path, text: str, recognizer: Recognizer) -> FormReader:
    (folder / "fields.toml").write_text(text)
    return FormReader(recognizer.reader, load_form(folder / "fields.toml", recognizer.reader))


def test_fields_are_read_in_px_and_in_parts_of_the_page(recognizer: Recognizer, tmp_path: Path) -> None:
    code, mark = form(tmp_path, FIELDS, recognizer).read(filled("1047", "15"))
    assert (code.name, code.text, mark.name, mark.text) == ("code", "1047", "mark", "15")
    assert code.number is not None
    assert len(code.number.symbols) == 4, "a row of boxes is one number"


def test_a_photograph_is_aligned_to_the_reference(recognizer: Recognizer, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="the extra `forms` is not installed")
    blank().save(tmp_path / "blank.png")
    reader = form(tmp_path, f'reference = "blank.png"\n{FIELDS}', recognizer)
    assert [field.text for field in reader.read(photographed(filled("1047", "15")))] == ["1047", "15"]
    noise = np.random.default_rng(0).integers(0, 255, (600, 600), np.uint8)
    for strange in (np.full((600, 600), 255, np.uint8), noise):
        with pytest.raises(InputError, match="reference"):
            reader.read(strange)


def test_a_blank_field_is_an_empty_text(recognizer: Recognizer, tmp_path: Path) -> None:
    _, mark = form(tmp_path, FIELDS, recognizer).read(filled("1047", ""))
    assert (mark.text, mark.number) == ("", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fields = 3",
        "[fields]",
        "[fields.a]",
        "[fields.a]\nbox = [1, 2, 3]",
        "[fields.a]\nbox = [3, 2, 1, 4]",
        "[fields.a]\nbox = [0, 0, 'x', 4]",
        "[fields.a]\nbox = [0, 0, 1, inf]",
        "[fields.a]\nbox = [0, 0, 1, 1]\nbogus = 1",
        "[fields.a]\nbox = [0, 0, 1, 1]\npattern = '('",
        "[fields.a]\nbox = [0, 0, 1, 1]\npattern = 7",
        "[fields.a]\nbox = [0, 0, 1, 1]\nchoices = 7",
        "[fields.a]\nbox = [0, 0, 1, 1]\nchoices = 'none.txt'",
        "[fields.a]\nbox = [0, 0, 1, 1]\nallow = 'x'",
        "bogus = 1\n[fields.a]\nbox = [0, 0, 1, 1]",
        "reference = 7\n[fields.a]\nbox = [0, 0, 1, 1]",
        "reference = 'none.png'\n[fields.a]\nbox = [0, 0, 1, 1]",
        "[fields.a\n",
    ],
)
def test_what_is_wrong_in_the_file_is_one_sentence(recognizer: Recognizer, tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError) as refused:
        form(tmp_path, text, recognizer)
    assert "fields.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_field_outside_of_the_page_is_the_pages_error(recognizer: Recognizer, tmp_path: Path) -> None:
    reader = form(tmp_path, "[fields.a]\nbox = [5000, 5000, 5100, 5100]", recognizer)
    with pytest.raises(InputError):
        reader.read(blank())
