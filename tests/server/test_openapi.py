"""The service keeps to its OpenAPI document: schemathesis makes requests up from it, fitting ones and others."""

import subprocess
import sys
from pathlib import Path

from ..serving import Service, environment

# That a request fits the document does not make a digit of the picture in it: a blank one is refused.
EXCLUDED = "positive_data_acceptance"
# Also 413, of too many files.
CONFIG = "[checks]\nnegative_data_rejection.expected-statuses = [400, 401, 404, 405, 406, 413, 415, 422]\n"


def test_what_the_document_says_is_so(service: Service, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{service.url}/openapi.json"]
    options = ["--max-examples", "40", "--seed", "1", "--exclude-checks", EXCLUDED, "--no-color"]
    result = subprocess.run(
        [*command, *options], capture_output=True, text=True, env=environment(), cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stdout
    operations = sum(len(methods) for methods in service.http.get("/openapi.json").json()["paths"].values())
    assert f"Tested: {operations}" in result.stdout
