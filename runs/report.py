"""The report of `runs/train.sh`: the commit, the machine, the minutes of each stage, and its figures.

The script calls it before the first stage (`begin`), after each (`minutes`), and at the end (`write`).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inkdigit.model_file import open_artefact

ROOT = Path(__file__).resolve().parents[1]
CODE = ("src/inkdigit/train", "runs", ":!runs/report.md")  # what a run must not change under way
COMMIT, TIMES = "commit.txt", "minutes.jsonl"


def git(*arguments: str) -> str:
    """Return what git answers about the repository. Exits where it refuses."""
    command = ["git", "-C", str(ROOT), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode:
        sys.exit(f"train.sh: git {arguments[0]}: {answer.stderr.strip()}")
    return answer.stdout.strip()


def begin(out: Path, resume: bool, mode: str) -> None:
    """Note the commit of a new run, or refuse to resume one that other code began."""
    if git("status", "--porcelain", "--", *CODE):
        sys.exit("train.sh: src/inkdigit/train or runs differs from the commit: commit your changes first.")
    begun = out / COMMIT
    if not resume:
        if begun.exists():
            sys.exit(f"train.sh: {out} holds a run already: continue it by --resume, or name another --out.")
        out.mkdir(parents=True, exist_ok=True)
        begun.write_text(f"{git('rev-parse', 'HEAD')} {mode}\n")
        return
    if not begun.exists():
        sys.exit(f"train.sh: {out} holds no run to resume.")
    commit, _, before = begun.read_text().strip().partition(" ")
    if before != mode:
        sys.exit(f"train.sh: {out} was begun {'with' if before else 'without'} quick.")
    if git("diff", "--name-only", commit, "--", *CODE):
        sys.exit(f"train.sh: src/inkdigit/train or runs has changed since {commit}, which began {out}.")


def add_minutes(out: Path, name: str, seconds: int) -> None:
    """Note a part of a stage; a stage that was interrupted has several."""
    with (out / TIMES).open("a") as file:
        file.write(json.dumps({"stage": name, "seconds": seconds}) + "\n")


def minutes(out: Path) -> dict[str, float]:
    """Return the minutes of each stage, in the order of their ends."""
    total: dict[str, float] = defaultdict(float)
    for line in (out / TIMES).read_text().splitlines():
        part = json.loads(line)
        total[part["stage"]] += part["seconds"] / 60
    return total


def figures(folder: Path) -> str:
    """Return what a stage's run reached in validation, and its scores on the evaluation sources."""
    return "; ".join(f"{name} {value:.2%}" for name, value in (*validation(folder), *scores(folder)))


def validation(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield the validation accuracies of a digit model's run."""
    if (folder / "run.json").exists():
        notes: dict[str, Any] = json.loads((folder / "run.json").read_text())
        yield from ((f"validation {kind}", value) for kind, value in notes["validation"].items())


def scores(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield the accuracies in the contracts of the model files in a folder."""
    files = sorted(folder.glob("*.onnx"))
    for path in files:
        for source, score in open_artefact(path)[1].scores.items():
            yield f"{path.stem}: {source}" if len(files) > 1 else source, score["accuracy"]


def machine() -> str:
    """Return the processor, its cores and the memory."""
    info = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory"


def write(out: Path) -> None:
    """Write the report into the run's folder."""
    commit, _, mode = (out / COMMIT).read_text().strip().partition(" ")
    times = minutes(out)
    rows = "\n".join(f"| {name} | {spent:.1f} | {stage_figures(out, name)} |" for name, spent in times.items())
    text = f"""# Report of `runs/train.sh{" quick" if mode else ""}`

Commit {commit}. {machine()}.

The stage `numbers` ran beside the others. All stages together took {sum(times.values()):.0f} minutes of work.

| stage | minutes | accuracy |
|---|---|---|
{rows}
"""
    draft = out / "report.tmp"
    draft.write_text(text)
    draft.replace(out / "report.md")


def stage_figures(out: Path, name: str) -> str:
    """Return the figures of a stage; those of `export` are what the exported files score."""
    return figures(out / ("models" if name == "export" else name))


def main() -> None:
    """Do what `runs/train.sh` asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("begin", "minutes", "write"):
        verbs.add_parser(verb).add_argument("out", type=Path)
    verbs.choices["begin"].add_argument("--resume", action="store_true")
    verbs.choices["begin"].add_argument("--mode", default="")
    verbs.choices["minutes"].add_argument("stage")
    verbs.choices["minutes"].add_argument("seconds", type=int)
    options = parser.parse_args()
    if options.verb == "begin":
        begin(options.out, options.resume, options.mode)
    elif options.verb == "minutes":
        add_minutes(options.out, options.stage, options.seconds)
    else:
        write(options.out)


if __name__ == "__main__":
    main()
