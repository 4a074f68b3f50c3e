"""What the README and docs/ show works as it stands there."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image

from inkdigit import Recognizer
from inkdigit.cli.main import app
from inkdigit.model_file import DEFAULT_MODEL, model_path
from inkdigit.server.launch import read_settings
from inkdigit.settings import GradioSettings, ServerSettings, Settings, StreamlitSettings, UpSettings

from .pictures import seven
from .serving import Service

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SERVERS: dict[str, type[ServerSettings]] = {
    "serve": Settings,
    "gradio": GradioSettings,
    "streamlit": StreamlitSettings,
    "up": UpSettings,
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the pictures that the pages speak of, and a run whose artefact is the shipped one."""
    (tmp_path / "scans").mkdir()
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    shutil.copy(model_path(DEFAULT_MODEL), tmp_path / "runs" / "mine")
    for name in ("seven.png", "form.jpg", "one.png", "two.jpg", "scans.pdf", "scans/one.png", "scans/two.png"):
        Image.fromarray(seven()).save(tmp_path / name)
    (tmp_path / "list.txt").write_text("7\n1041\n1047\n")
    (tmp_path / "fields.toml").write_text("[fields.mark]\nbox = [0, 0, 1, 1]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as PyTorch users get it."""
    from inkdigit.train.export.torch_export import export_program
    from inkdigit.train.warm_start import from_model_file

    shipped = model_path(DEFAULT_MODEL)
    path = tmp_path_factory.mktemp("program") / "inkdigit.pt2"
    export_program(from_model_file(shipped)[2], Recognizer(shipped).contract, [seven()[None]], path)
    return path


def blocks(language: str) -> list[str]:
    return [code for page in PAGES for code in re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)]


COMMANDS = list(dict.fromkeys(line.split("#")[0].strip() for code in blocks("sh") for line in code.splitlines()))


def matching(pattern: str) -> list[str]:
    return [line for line in COMMANDS if re.match(pattern, line)]


@pytest.mark.parametrize("code", blocks("python"))
def test_python(desk: Path, code: str, request: pytest.FixtureRequest) -> None:
    if "inkdigit.pt2" in code:
        shutil.copy(request.getfixturevalue("program"), desk / "runs" / "mine")
    names: dict[str, object] = {}
    exec(compile(code, "page.md", "exec"), names)
    assert getattr(names.get("answer"), "digit", 7) == 7


@pytest.mark.parametrize("line", matching(r"inkdigit (predict|read|models)"))
def test_commands(desk: Path, line: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m {line}"
    done = subprocess.run(command, shell=True, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("line", matching(r"inkdigit (train|evaluate|export|bulk)\b"))
def test_commands_have_these_flags(line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    assert group.commands[name].make_context(name, arguments).command.name == name


@pytest.mark.parametrize("line", matching("curl"))
def test_requests(desk: Path, service: Service, line: str) -> None:
    command = shlex.split(line.replace("http://127.0.0.1:8000", service.url))
    done = subprocess.run([*command, "--silent", "--fail"], check=True, capture_output=True, text=True)
    assert '"error"' not in done.stdout
    assert any(part in done.stdout for part in ('"digit":7', '"text":"7"', '"models":'))


@pytest.mark.parametrize("line", matching(rf"inkdigit ({'|'.join(SERVERS)})\b"))
def test_doors_have_these_flags(line: str) -> None:
    command, *flags = shlex.split(line)[1:]
    assert read_settings(SERVERS[command], flags).host


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        is_github = target.startswith("../../")  # a page of the repository, beside its files
        assert is_github or target.startswith("http") or (page.parent / target).exists(), target


def test_every_command_exists() -> None:
    shown = {words[1] for line in COMMANDS if (words := line.split())[:1] == ["inkdigit"]}
    done = subprocess.run([sys.executable, "-m", "inkdigit", "--help"], check=True, capture_output=True, text=True)
    assert shown <= set(re.findall(r"\w+", done.stdout))
