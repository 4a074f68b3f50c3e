"""The same bytes through every interface give the same answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from inkdigit import InputError, Recognizer

from .pictures import digits, encoded, seven

TURNED = Image.Exif()
TURNED[0x0112] = 6  # lies on its side: a viewer turns it clockwise
PICTURES = {
    "seven.png": encoded(seven()),
    "seven.jpg": encoded(seven(400), "JPEG", quality=40),
    "strip.jpg": encoded(np.pad(seven(220), [(0, 0), (0, 1500)], constant_values=255), "JPEG"),
    "long.jpg": encoded(np.pad(seven(150), [(0, 0), (0, 1700)], constant_values=255), "JPEG"),
    "large.png": encoded(seven(1700)),
    "written.webp": encoded(digits()[0][3], "WEBP"),
    "turned.jpg": encoded(Image.fromarray(np.rot90(seven())), "JPEG", exif=TURNED),
    "clear.png": encoded(Image.merge("RGBA", [Image.new("L", (200, 200))] * 3 + [Image.fromarray(255 - seven())])),
    "palette.gif": encoded(Image.fromarray(seven()).convert("P"), "GIF", transparency=255),
    "moving.gif": encoded(Image.fromarray(seven()), "GIF", save_all=True, append_images=[Image.new("L", (200, 200))]),
    "deep.png": encoded(seven().astype(np.uint16) * 257),
    "broken.png": encoded(seven())[:200],
    "text.png": b"no picture",
}
NO_SEVENS = {"written.webp"}


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("interfaces")
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
    assert name in NO_SEVENS or own["digit"] == 7
    assert compatible["prediction"] == expected["digit"]
    assert compatible["probabilities"] == expected["probabilities"]
    for answer in (batch, by_command[name]):
        assert answer["digit"] == expected["digit"]
        assert answer["probabilities"] == expected["probabilities"]
