"""The same bytes through every door give the same answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from inkdigit import InputError, Recognizer

from .pictures import digits, encoded, seven

PICTURES = {
    "seven.png": encoded(seven()),
    "seven.jpg": encoded(seven(400), "JPEG", quality=40),
    "large.png": encoded(seven(1700)),
    "written.webp": encoded(digits()[0][3], "WEBP"),
    "broken.png": encoded(seven())[:200],
    "text.png": b"no picture",
}


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("doors")
    paths = [folder / name for name in PICTURES]
    for path in paths:
        path.write_bytes(PICTURES[path.name])
    command = [str(Path(sys.executable).with_name("inkdigit")), "predict", "--json", *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1  # two of them have no answer
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return {Path(row.pop("file")).name: row for row in rows}


@pytest.mark.parametrize("name", PICTURES)
def test_every_door_gives_the_answer_of_the_library(
    name: str, client: httpx.Client, by_command: dict[str, Any]
) -> None:
    data = PICTURES[name]
    files = {"file": (name, data)}
    own, raw = (
        client.post("/v1/predict", files=files).json(),
        client.post("/v1/predict", content=data, headers={"Content-Type": "image/png"}).json(),
    )
    batch = client.post("/v1/predict/batch", files=files).json()["results"][0]
    compatible = client.post("/predict", files=files).json()
    try:
        expected = Recognizer().predict(data).as_dict()
    except InputError as error:
        problem = {"detail": str(error), "code": error.code}
        assert own == raw == compatible == problem
        assert batch["error"] == by_command[name]["error"] == problem
        return
    assert own == raw == expected
    assert compatible["prediction"] == expected["digit"]
    assert compatible["probabilities"] == expected["probabilities"]
    for answer in (batch, by_command[name]):
        assert answer["digit"] == expected["digit"]
        assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
