"""Every row of DESIGN's HTTP tables that is an answer, over real HTTP."""

import base64
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from inkdigit import Recognizer
from inkdigit.model_file import digit_model_names
from inkdigit.server.middleware import SECURITY
from inkdigit.server.openapi import CompatBody, PredictionBatch, PredictionBody, ReadingBatch, ReadingBody

from ..pictures import digits, encoded, seven

PNG = encoded(seven())
KEYS = {"digit", "confidence", "probabilities", "is_digit", "digitness", "is_sure", "model"}


def test_a_picture_as_multipart_of_any_field_name_as_raw_bytes_and_as_array_has_one_answer(
    client: httpx.Client,
) -> None:
    answers = [
        client.post("/v1/predict", files={"anything": ("seven.png", PNG)}),
        client.post("/v1/predict", files={"image": ("", PNG, "image/png")}),
        client.post("/v1/predict", content=PNG, headers={"Content-Type": "image/png"}),
        client.post("/v1/predict", content=PNG, headers={"Content-Type": "IMAGE/*"}),
        client.post("/v1/predict", json={"data": seven().tolist()}),
        client.post("/v1/predict", json={"data": seven()[..., None].tolist()}),
        client.post("/v1/predict", json={"data": (seven() / 255).tolist()}),
    ]
    bodies = [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {200}, bodies
    assert all(body == bodies[0] for body in bodies)
    assert set(bodies[0]) == KEYS
    assert bodies[0]["digit"] == 7
    PredictionBody.model_validate(bodies[0])


def test_handwritten_digits_are_read(client: httpx.Client) -> None:
    pictures, labels = digits(40)
    files = [("file", (f"{place}.png", encoded(picture))) for place, picture in enumerate(pictures)]
    results = client.post("/v1/predict/batch", files=files).json()["results"]
    right = [result["digit"] == label for result, label in zip(results, labels, strict=True)]
    assert sum(right) >= 34


def test_the_frame_is_the_28_by_28_that_the_network_saw(client: httpx.Client) -> None:
    url = client.post("/v1/predict?frame=true", files={"file": PNG}).json()["frame"]
    kind, data = url.split(",", 1)
    frame = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert kind == "data:image/png;base64"
    assert frame.shape == (28, 28)
    assert frame[0].max() == 0
    assert frame.max() > 200


def test_a_batch_keeps_its_order_around_a_broken_file(client: httpx.Client) -> None:
    pictures, _ = digits(3)
    one, two, three = (encoded(picture) for picture in pictures)
    files = [
        ("a", ("1.png", one)),
        ("b", ("größe.png", two[:150])),
        ("a", ("2.txt", b"hello")),
        ("c", ("3.png", three)),
    ]
    body = client.post("/v1/predict/batch", files=files, data={"note": "a field is no file"}).json()
    PredictionBatch.model_validate(body)
    results = body["results"]
    assert [result["file"] for result in results] == ["1.png", "größe.png", "2.txt", "3.png"]
    assert [result.get("error", {}).get("code") for result in results] == [
        None,
        "broken_image",
        "unsupported_format",
        None,
    ]
    alone = client.post("/v1/predict", files={"file": three}).json()
    assert results[3]["digit"] == alone["digit"]
    assert results[3]["probabilities"] == alone["probabilities"]


def test_a_batch_holds_256_files(client: httpx.Client) -> None:
    small = encoded(seven(32))
    files = [("file", (f"{place}.png", small)) for place in range(256)]
    results = client.post("/v1/predict/batch?frame=true", files=files).json()["results"]
    assert [result["file"] for result in results] == [f"{place}.png" for place in range(256)]
    assert all(result["frame"].startswith("data:image/png") for result in results)


def test_models_come_with_their_contracts_and_can_be_chosen(client: httpx.Client) -> None:
    models = client.get("/v1/models").json()["models"]
    assert [model["name"] for model in models] == [*digit_model_names(), "numbers"], "all that ship"
    assert [model["task"] for model in models] == ["digit"] * (len(models) - 1) + ["number"]
    for model in models[:-1]:
        assert model["labels"] == [str(digit) for digit in range(10)]
        assert set(model["thresholds"]) == {"digitness", "confidence"}
        answer = client.post(f"/v1/predict?model={model['name']}", files={"file": PNG}).json()
        assert answer["model"] == {"name": model["name"], "version": model["version"]}
        assert answer["digit"] == 7


@pytest.mark.parametrize("path", ["/predict", "/predict_test"])
@pytest.mark.parametrize("field", ["file", "image"])
def test_clients_of_other_services_find_their_names(client: httpx.Client, path: str, field: str) -> None:
    body = client.post(path, files={field: PNG}).json()
    CompatBody.model_validate(body)
    assert [body[name] for name in ("prediction", "predict", "predicted_digit", "predicted_class")] == [7] * 4
    assert body["confidence"] == max(body["probabilities"])


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (28, 28, 3)])
@pytest.mark.parametrize("scale", [1, 255])
def test_clients_of_other_services_may_send_arrays(client: httpx.Client, shape: tuple[int, ...], scale: int) -> None:
    ink = (255 - seven(28)) / 255
    data = np.broadcast_to(ink[..., None], (28, 28, shape[-1])) if len(shape) == 3 else ink
    assert client.post("/predict", json={"data": (data * scale).tolist()}).json()["prediction"] == 7


def test_health_readiness_and_status(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/health").json() == {"status": "healthy", "model_loaded": True, "device": "cpu"}
    for path in ("/healthz", "/docs", "/v1/models", "/openapi.json"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_metrics_name_routes_and_never_what_a_client_made_up(client: httpx.Client) -> None:
    client.post("/v1/predict", files={"file": PNG})
    client.get("/made/up?by=me")
    client.get("/web/made-up.js")
    client.request("MADEUP", "/healthz")
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert 'inkdigit_request_seconds_count{method="POST",route="/v1/predict",status="200"}' in response.text
    assert 'inkdigit_request_seconds_count{method="GET",route="/web",status="404"}' in response.text
    assert "made" not in response.text.lower()


def test_a_browser_gets_the_page_and_a_program_the_status(client: httpx.Client) -> None:
    page = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    status = client.get("/", headers={"Accept": "*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert 'data-testid="canvas"' in page.text
    assert client.get("/ui").text == page.text
    assert status.json()["status"] == "ok"
    assert page.headers["vary"] == status.headers["vary"] == "Accept"
    assert client.get("/web/app.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/", "/ui", "/web/app.js", "/docs", "/v1/models", "/nowhere"])
def test_every_answer_has_the_security_headers_and_no_unsafe_policy(client: httpx.Client, path: str) -> None:
    headers = client.get(path, headers={"Accept": "text/html"}).headers
    assert {name.lower() for name in SECURITY} <= set(headers)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_every_route_in_the_docs_has_a_summary_a_description_an_example_and_its_errors(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
            success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            if "204" in operation["responses"]:  # it has no content
                continue
            content = success["content"]["application/json"]
            schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            assert "example" in content or "example" in document["components"]["schemas"][schema], path
            if "requestBody" in operation:
                assert "`overloaded`: " in operation["responses"]["503"]["description"], path


def test_the_docs_need_no_other_host_and_offer_a_file(client: httpx.Client) -> None:
    html = client.get("/docs").text
    assert "https://" not in html
    assert "http://" not in html
    for path in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs-files/{path}" in html
        assert client.get(f"/docs-files/{path}").status_code == 200
    document = client.get("/openapi.json").json()
    content = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "image/*", "application/json"}
    picker = {"type": "string", "format": "binary"}
    assert content["multipart/form-data"]["schema"]["properties"]["file"].items() >= picker.items()
    batch = document["paths"]["/v1/predict/batch"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert batch["schema"]["properties"]["files"]["items"] == picker


def number(text: str) -> bytes:
    """A picture of digits side by side, as a PNG."""
    images, labels = digits(40, 28)
    drawn = {label: np.asarray(image) for image, label in zip(images, labels, strict=True)}
    strip = np.concatenate([drawn[int(symbol)] for symbol in text], 1)
    return encoded(np.pad(strip, 20).repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("sent", ["file", "bytes", "array"])
def test_a_number_is_read_with_boxes_as_the_library_reads_it(client: httpx.Client, sent: str) -> None:
    data = number("42")
    array = {"data": np.asarray(Image.open(io.BytesIO(data)).convert("L")).tolist()}
    ways: dict[str, dict[str, object]] = {
        "file": {"files": {"anything": data}},
        "bytes": {"content": data, "headers": {"Content-Type": "image/png"}},
        "array": {"json": array},
    }
    answer = client.post("/v1/read", **ways[sent]).json()  # type: ignore[arg-type]
    ReadingBody.model_validate(answer)
    assert answer == json.loads(json.dumps(Recognizer().read(data).as_dict()))
    assert answer["model"]["name"] == "numbers"


def test_read_takes_constraints_and_draws(client: httpx.Client) -> None:
    data = number("42")
    only = client.post("/v1/read?allow=1&annotated=true", files={"file": data}).json()
    assert set(only["text"]) <= {"1", " ", "\n"}
    picture = Image.open(io.BytesIO(base64.b64decode(only["annotated"].partition(",")[2])))
    assert picture.size == Image.open(io.BytesIO(data)).size
    text = client.post("/v1/read", files={"file": data}).json()["text"]
    several = {"choices": f"{text}\n43\n\n"}
    for query, fields in (
        (f"?choices={text}&choices=43", {}),
        ("", several),
        ("?choices=8", several),
        ("?pattern=\\d%2B", {}),
    ):
        answer = client.post(f"/v1/read{query}", files={"file": data}, data=fields)
        ReadingBody.model_validate(answer.json())
        assert answer.json()["text"] == text
    (none,) = client.post("/v1/read?choices=777", files={"file": data}).json()["numbers"]
    assert none["is_match"] is False
    listed = client.post("/v1/read/batch", files={"file": data}, data=several).json()["results"]
    assert [result["text"] for result in listed] == [text]
    for refused in ("allow=x", "allow=1x", "allow=", "pattern=(", "pattern=", "choices=x", "pattern=1&choices=1"):
        answer = client.post(f"/v1/read?{refused}", files={"file": data})
        assert answer.status_code == 422
        assert answer.json()["code"] == "bad_constraint"


def test_an_empty_page_has_an_empty_reading(client: httpx.Client) -> None:
    answer = client.post("/v1/read", files={"file": encoded(np.full((60, 90), 255, np.uint8))})
    assert answer.status_code == 200
    assert (answer.json()["text"], answer.json()["numbers"]) == ("", [])


def test_a_batch_is_read_in_order_with_errors_in_place(client: httpx.Client) -> None:
    files = [("a", ("one.png", number("7"))), ("b", ("text.txt", b"no picture")), ("c", ("two.png", number("13")))]
    results = client.post("/v1/read/batch", files=files)
    ReadingBatch.model_validate(results.json())
    assert [result["file"] for result in results.json()["results"]] == ["one.png", "text.txt", "two.png"]
    assert results.json()["results"][1]["error"]["code"] == "unsupported_format"


def test_a_pdf_counts_as_its_pages_in_a_batch_and_is_no_picture(client: httpx.Client) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    buffer = io.BytesIO()
    page = Image.open(io.BytesIO(number("42")))
    page.save(buffer, "PDF", save_all=True, append_images=[page])
    files = [("a", ("two.pdf", buffer.getvalue())), ("b", ("no.pdf", b"%PDF-1.7")), ("c", ("one.png", number("7")))]
    for route in ("/v1/read/batch", "/v1/predict/batch"):
        results = client.post(route, files=files).json()["results"]
        assert [result["file"] for result in results] == ["two.pdf#1", "two.pdf#2", "no.pdf", "one.png"]
        assert ["error" in result for result in results] == [False, False, True, False]
    for route in ("/v1/read", "/v1/predict"):
        answer = client.post(route, files={"file": buffer.getvalue()})
        assert answer.status_code == 415
        assert "/v1/read/batch" in answer.json()["detail"]
        answer = client.post(route, content=buffer.getvalue(), headers={"Content-Type": "application/pdf"})
        assert answer.status_code == 415
    page.resize((20, 20)).save(buffer, "PDF", save_all=True, append_images=[page.resize((20, 20))] * 256)
    (result,) = client.post("/v1/read/batch", files={"file": buffer.getvalue()}).json()["results"]
    assert result["error"]["code"] == "too_many_pages"
