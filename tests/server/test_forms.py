"""`/v1/forms` and `/v1/forms/sheet`: fields on pictures, PDF pages and photographs, and what is refused."""

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from inkdigit.server.error_responses import STATUS

from ..forms.sheets import CODE, MARK, SIZE, blank, filled, photographed
from ..pictures import encoded


def parts(box: tuple[int, ...]) -> list[float]:
    """Return a box in parts of the page."""
    return [round(side / whole, 4) for side, whole in zip(box, (*SIZE, *SIZE), strict=True)]


FIELDS = f"[fields.code]\nbox = {parts(CODE)}\npattern = '\\d{{4}}'\n[fields.mark]\nbox = {parts(MARK)}\n"
PAGE = encoded(filled("1047", "15"))


def pdf(*pages: Image.Image) -> bytes:
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


def post(client: httpx.Client, path: str, fields: Any, *files: tuple[str, bytes], reference: bytes = b"") -> Any:
    parts: list[Any] = [("page", (name, data)) for name, data in files]
    parts += [("reference", ("blank.png", reference))] if reference else []
    return client.post(path, data={"fields": fields} if fields is not None else {}, files=parts)


def texts(result: Any) -> dict[str, str]:
    return {name: field["text"] for name, field in result["fields"].items()}


def test_every_page_has_its_fields(client: httpx.Client) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    before = client.get("/metrics").text
    stack = pdf(filled("1047", "15"), filled("2600", ""))
    answer = post(client, "/v1/forms?crops=true", FIELDS, ("a.png", PAGE), ("b.pdf", stack), ("c.txt", b"no picture"))
    first, second, third, failed = answer.json()["results"]
    assert [each["file"] for each in (first, second, third, failed)] == ["a.png", "b.pdf#1", "b.pdf#2", "c.txt"]
    assert texts(first) == texts(second) == {"code": "1047", "mark": "15"}
    assert texts(third)["mark"] == ""
    assert failed["error"]["code"] == "unsupported_format"
    code = first["fields"]["code"]
    assert set(code) == {"text", "confidence", "is_sure", "alternatives", "crop"}
    with Image.open(io.BytesIO(base64.b64decode(code["crop"].partition(",")[2]))) as crop:
        assert crop.width > 2 * crop.height
    after = client.get("/metrics").text
    assert _numbers(after) - _numbers(before) == 5


def _numbers(metrics: str) -> float:
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("inkdigit_numbers_total{"))


def test_pages_are_aligned_to_the_reference(client: httpx.Client) -> None:
    pytest.importorskip("cv2", reason="the extra `forms` is not installed")
    page = encoded(photographed(filled("1047", "15")))
    described = f'reference = "its own name.png"\n{FIELDS}'
    (result,) = post(client, "/v1/forms", described, ("a.png", page), reference=encoded(blank())).json()["results"]
    assert texts(result) == {"code": "1047", "mark": "15"}


def test_the_fields_may_come_as_a_file(client: httpx.Client) -> None:
    files = {"fields": ("fields.toml", FIELDS.encode()), "page": ("a.png", PAGE)}
    (result,) = client.post("/v1/forms", files=files).json()["results"]
    assert texts(result)["code"] == "1047"


def test_a_sheet_is_shown_with_its_fields(client: httpx.Client) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    described = f"reference = 'blank.png'\n[fields.mark]\nbox = {parts(MARK)}\nchoices = ['15', '16']"
    answer = post(client, "/v1/forms/sheet?page=2&picture=true", described, ("a.pdf", pdf(blank(), filled("1", "15"))))
    sheet = answer.json()
    assert sheet["pages"] == 2
    assert sheet["reference"] == "blank.png"
    (field,) = sheet["fields"]
    size = (sheet["width"], sheet["height"]) * 2
    wanted = [part * side for part, side in zip(parts(MARK), size, strict=True)]
    assert field == {"name": "mark", "box": pytest.approx(wanted, abs=2), "choices": ["15", "16"]}
    with Image.open(io.BytesIO(base64.b64decode(sheet["picture"].partition(",")[2]))) as picture:
        assert picture.size == (sheet["width"], sheet["height"])


BOX = "box = [0, 0, 1, 1]"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (None, "bad_fields"),
        ("", "bad_fields"),
        ("[fields.a\n", "bad_fields"),
        ("a = " + "[\n" * 5000, "bad_fields"),
        ("a = " + "9" * 5000, "bad_fields"),
        (".".join(["a"] * 100_000), "bad_fields"),
        (f"# {'x' * 900}\n" * 400, "too_many_bytes"),
        (b"\xff", "bad_fields"),
        (f"[fields.a]\n{BOX}\npattern = '('", "bad_constraint"),
        (f"[fields.a]\n{BOX}\nchoices = '/etc/passwd'", "bad_fields"),
        (f"reference = 'blank.png'\n[fields.a]\n{BOX}", "bad_fields"),
        ("".join(f"[fields.a{place}]\n{BOX}\n" for place in range(201)), "bad_fields"),
    ],
)
def test_wrong_fields_are_refused(client: httpx.Client, fields: Any, code: str) -> None:
    for path in ("/v1/forms", "/v1/forms/sheet") if fields and "reference" not in str(fields) else ("/v1/forms",):
        answer = post(client, path, fields, ("a.png", PAGE))
        assert (answer.status_code, answer.json()["code"]) == (STATUS[code], code), answer.text
        assert answer.json()["detail"].count("\n") == 0


def test_what_no_page_can_have_is_the_pages_error(client: httpx.Client) -> None:
    tiny = encoded(Image.new("L", (1, 1), 255))
    outside, whole = ("[fields.a]\nbox = [5000, 5000, 5100, 5100]", f"[fields.a]\n{BOX}")
    for fields, data, code in ((outside, PAGE, "bad_array"), (whole, tiny, None)):
        (result,) = post(client, "/v1/forms", fields, ("a.png", data)).json()["results"]
        assert result.get("error", {}).get("code") == code
    many = "".join(f"[fields.a{place}]\n{BOX}\n" for place in range(9))
    (result,) = post(client, "/v1/forms", many, ("a.png", PAGE)).json()["results"]
    assert result["error"]["code"] == "bad_fields"


def test_a_request_reads_so_many_fields_at_most(client: httpx.Client) -> None:
    many = "".join(f"[fields.a{place}]\nbox = [0, 0, 0.1, 0.1]\n" for place in range(200))
    answer = post(client, "/v1/forms", many, *[("a.png", PAGE)] * 41)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_parts")
    for path in ("/v1/forms", "/v1/forms/sheet"):
        answer = post(client, path, FIELDS, *[("a.png", b"x")] * 259)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_parts")
        assert post(client, path, FIELDS, reference=PAGE).json()["code"] == "no_picture"
    assert post(client, "/v1/forms/sheet", FIELDS, ("a", PAGE), ("b", PAGE)).json()["code"] == "too_many_parts"
    assert post(client, "/v1/forms/sheet?page=2", FIELDS, ("a", PAGE)).json()["code"] == "bad_parameter"
