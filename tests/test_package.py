"""What Inkdigit offers, and which part may import which."""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import inkdigit
from inkdigit.errors import ArtefactError, DataError, InputError

from .pictures import encoded, seven

PACKAGE = Path(inkdigit.__file__).parent

# Each part, and the parts that it may import. A part that is not named here may be imported by none but cli.
ARROWS = {
    "errors": set(),
    "terminal": set(),
    "files": {"errors"},
    "prediction": set(),
    "reading": {"prediction"},
    "automaton": {"errors"},
    "decoding": {"automaton"},
    "layout": {"reading", "automaton", "decoding"},
    "constraints": {"errors", "reading", "automaton", "decoding"},
    "image": {"errors"},
    "model_file": {"errors", "prediction"},
    "number_reader": {"errors", "prediction", "image", "model_file", "reading", "layout", "constraints"},
    "recognizer": {"errors", "prediction", "reading", "image", "model_file", "constraints", "number_reader"},
    "forms": {"errors", "files", "prediction", "reading", "image", "constraints", "number_reader", "recognizer"},
    "explain": {"errors", "prediction", "recognizer"},
    "output": {"errors", "prediction", "terminal"},
    "evaluation": {"errors", "terminal", "prediction", "image", "model_file", "recognizer"},
    "site": {"errors", "files", "model_file"},
    "settings": {"errors", "model_file"},
    "corrections": {"errors", "files", "prediction", "reading", "image"},
    "server": {
        "__init__",
        "errors",
        "prediction",
        "image",
        "model_file",
        "number_reader",
        "recognizer",
        "explain",
        "evaluation",
        "settings",
        "reading",
        "corrections",
        "forms",
    },
    "demos": {"errors", "prediction", "reading", "output", "image", "recognizer", "settings", "server", "corrections"},
    "cluster": {"errors", "prediction", "reading", "image", "model_file", "recognizer", "settings", "server"},
    "train": {
        "__init__",
        "errors",
        "files",
        "terminal",
        "prediction",
        "image",
        "model_file",
        "reading",
        "layout",
        "recognizer",
        "evaluation",
        "corrections",
    },
    "__init__": {"errors", "prediction", "reading", "recognizer"},
}
ARROWS |= {"cli": {*ARROWS}, "__main__": {"cli"}}


def part(path: Path) -> str:
    """Name the part that a file belongs to: the folder, or the file itself."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imported(path: Path) -> set[str]:
    """Return the parts that a file imports, wherever in it."""
    found = set()
    parents = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = list(parents[: len(parents) + 1 - node.level]) if node.level else ["inkdigit"]
            names = [*base, *(node.module or "").split(".")] if node.level else (node.module or "").split(".")
            names = ["inkdigit", *names] if node.level else names
            found |= inside([name for name in names if name], [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found |= inside(alias.name.split("."), [])
    return found - {part(path)}


def inside(names: list[str], imports: list[str]) -> set[str]:
    if names[0] != "inkdigit":
        return set()
    if len(names) > 1:
        return {names[1]}
    parts = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    return {name if name in parts else "__init__" for name in imports} or {"__init__"}


def test_the_public_names_are_these() -> None:
    names = ["ArtefactError", "InputError", "Number", "Prediction", "Reading", "Recognizer", "Symbol", "__version__"]
    assert inkdigit.__all__ == names
    assert all(hasattr(inkdigit, name) for name in inkdigit.__all__)
    assert inkdigit.__version__ == version("inkdigit")


def test_errors_are_of_families_that_programs_expect() -> None:
    assert issubclass(InputError, ValueError)
    assert issubclass(ArtefactError, RuntimeError)
    assert issubclass(DataError, RuntimeError)
    assert InputError("No.", "blank_image").code == "blank_image"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    assert imported(path) <= ARROWS[part(path)]


def test_only_the_cluster_imports_ray_and_only_its_service_the_server() -> None:
    for path in PACKAGE.rglob("*.py"):
        names = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom | ast.Import)
        }
        assert part(path) == "cluster" or not any(name.split(".")[0] == "ray" for name in names), path
        if part(path) == "cluster" and path.stem != "serve":
            assert not imported(path) & {"server", "settings"}, path


def test_only_training_imports_torch() -> None:
    for path in PACKAGE.rglob("*.py"):
        if part(path) != "train":
            names = {
                node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
            }
            assert not any(name.split(".")[0] in {"torch", "onnx"} for name in names), path


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_unpickles(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {getattr(node, "module", None) or "", *(alias.name for alias in node.names)}
            assert not {name.split(".")[0] for name in names} & {"pickle", "dill", "joblib", "marshal", "shelve"}
    assert not re.search(r"allow_pickle|torch\.load\b|weights_only=False", code)


def loaded(code: str, *arguments: str) -> set[str]:
    """Run code in a new process and give the modules that it loaded."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    command = [sys.executable, "-c", script, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(answer.stdout.splitlines()[-1].split())


def test_the_library_loads_neither_torch_nor_the_service() -> None:
    modules = loaded("import inkdigit; inkdigit.Recognizer()")
    assert not modules & {"torch", "onnx", "fastapi", "pydantic", "typer", "rich", "inkdigit.train", "inkdigit.server"}


def test_predict_loads_neither_torch_nor_the_service(tmp_path: Path) -> None:
    (tmp_path / "seven.png").write_bytes(encoded(seven()))
    code = (
        "from inkdigit.cli.main import app\n"
        "try: app(['predict', sys.argv[1]])\nexcept SystemExit as e: assert not e.code"
    )
    modules = loaded(code, str(tmp_path / "seven.png"))
    assert "onnxruntime" in modules
    assert not modules & {"torch", "onnx", "fastapi", "pydantic_settings", "sklearn"}
    assert not modules & {"inkdigit.server", "inkdigit.settings", "inkdigit.train.fit.trainers"}


def test_reading_leaves_nothing_behind_in_the_users_folders(tmp_path: Path) -> None:
    code = "from inkdigit import Recognizer; Recognizer().predict(sys.stdin.buffer.read())"
    command = [sys.executable, "-c", f"import sys; {code}"]
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ORT_"))}
    subprocess.run(command, input=encoded(seven()), env={**variables, "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.rglob("*")) == []
