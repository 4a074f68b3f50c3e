"""`runs/train.sh` and its report: what it refuses to resume, and what the report says."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

RUNS = Path(__file__).parents[1] / "runs"


@pytest.fixture
def report(tmp_path: Path) -> ModuleType:
    """Load the script from a repository of its own, with one commit."""
    root = tmp_path / "repository"
    (root / "src" / "inkdigit" / "train").mkdir(parents=True)
    (root / "runs").mkdir()
    shutil.copy(RUNS / "report.py", root / "runs")
    (root / "src" / "inkdigit" / "train" / "loop.py").write_text("1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@y", *command], cwd=root, check=True)
    spec = importlib.util.spec_from_file_location("train_report", root / "runs" / "report.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_resumes_only_with_the_code_that_began_it(report: ModuleType, tmp_path: Path) -> None:
    out, code = tmp_path / "out", report.ROOT / "src" / "inkdigit" / "train" / "loop.py"
    with pytest.raises(SystemExit, match="holds no run"):
        report.begin(out, resume=True, mode="")
    report.begin(out, resume=False, mode="quick")
    with pytest.raises(SystemExit, match="holds a run already"):
        report.begin(out, resume=False, mode="quick")
    with pytest.raises(SystemExit, match="was begun with quick"):
        report.begin(out, resume=True, mode="")
    (report.ROOT / "runs" / "report.md").write_text("what the script itself writes\n")
    (report.ROOT / "README.md").write_text("no training code\n")
    report.begin(out, resume=True, mode="quick")
    code.write_text("2\n")
    with pytest.raises(SystemExit, match="differs from the commit"):
        report.begin(out, resume=True, mode="quick")
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "second"], cwd=report.ROOT, check=True
    )
    with pytest.raises(SystemExit, match="has changed since"):
        report.begin(out, resume=True, mode="quick")


def test_the_report_has_machine_minutes_and_figures(report: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report.begin(out, resume=False, mode="")
    (out / "seed1").mkdir()
    (out / "seed1" / "run.json").write_text(json.dumps({"validation": {"plain": 0.9951}}))
    for seconds in (60, 90):  # it was interrupted once
        report.add_minutes(out, "seed1", seconds)
    report.write(out)
    text = (out / "report.md").read_text()
    assert "| seed1 | 2.5 | validation plain 99.51% |" in text
    assert report.git("rev-parse", "HEAD") in text
    assert " cores, " in text


def test_the_script_says_how_it_is_used() -> None:
    answer = subprocess.run(["bash", RUNS / "train.sh", "fast"], check=False, capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr.startswith("usage: ")
