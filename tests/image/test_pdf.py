"""Pages of PDF files as pictures, and files that are encrypted, broken or too large."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit import InputError, Recognizer
from inkdigit.image import MAX_PDF_BYTES, READ_SIDE, Pdf, is_pdf, load_pixels, open_image

from ..pictures import encrypted_pdf, pdf, seven

pypdfium2 = pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")


def tall(side: int = 1000) -> Image.Image:
    page = Image.new("L", (side, side * 2), 255)
    page.paste(Image.fromarray(seven()).resize((side // 2, side // 2)), (side // 4, side // 4))
    return page


def test_a_page_is_a_picture(tmp_path: Path) -> None:
    (tmp_path / "two.pdf").write_bytes(pdf(tall(), Image.new("RGB", (300, 200), "white")))
    first, second = Pdf(tmp_path / "two.pdf").pages(2)
    opened = open_image(first)
    assert opened.size == (READ_SIDE // 2, READ_SIDE), "not more than is read"
    assert open_image(second).size == pytest.approx((900, 600), abs=1), "300 dpi"
    assert Recognizer().predict(first).digit == 7
    assert np.array_equal(load_pixels(first), load_pixels(Pdf((tmp_path / "two.pdf").read_bytes()).pages(2)[0]))


def test_threads_read_pages_of_several_files() -> None:
    files = [Pdf(pdf(*[Image.new("L", (60, 40 + 10 * n + page), 255) for page in range(3)])) for n in range(3)]
    pages = [page for file in files for page in file.pages(9)] * 4
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda page: open_image(page).size, pages))
    wanted = [(180, 3 * (40 + 10 * n + page)) for n in range(3) for page in range(3)] * 4
    assert np.abs(np.array(sizes) - wanted).max() <= 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encrypted_pdf(), "encrypted_file"),
        (b"%PDF-1.7\nnothing", "broken_image"),
        (pdf(tall(50))[:400], "broken_image"),
        (b"%PDF-1.7\n" + bytes(MAX_PDF_BYTES), "too_many_bytes"),
        (pdf(*[tall(10)] * 6), "too_many_pages"),
    ],
    ids=["encrypted", "broken", "truncated", "large", "pages"],
)
def test_what_cannot_be_opened_is_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as refused:
        Pdf(data).pages(5)
    assert refused.value.code == code


def test_a_page_with_too_large_an_image_is_refused_and_the_next_one_is_read() -> None:
    first, second = Pdf(pdf(Image.new("1", (8000, 8400)), tall(50))).pages(2)
    refused, page = Recognizer().read_batch([first, second])
    assert isinstance(refused, InputError)
    assert refused.code == "too_many_pixels"
    assert not isinstance(page, InputError)


def test_a_pdf_is_no_picture() -> None:
    with pytest.raises(InputError, match="page by page") as refused:
        Recognizer().predict(pdf(tall(50)))
    assert refused.value.code == "unsupported_format"
    assert is_pdf(b"\n\n%PDF-1.4")
    assert not is_pdf(bytes(2000) + b"%PDF-")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        Pdf(tmp_path / "none.pdf").pages(1)
    assert refused.value.code == "unreadable_file"
