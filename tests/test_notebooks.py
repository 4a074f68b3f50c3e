"""The notebooks run on what is at hand, and what they say is so."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
SAID = {
    "train": "assert accuracies[-1] > max(0.9, accuracies[0])",
    "framing": "assert only_resized < 0.5 < 0.85 < framed <= 1 and as_in_mnist > 0.9",
}


@pytest.mark.parametrize("name", SAID)
def test_a_notebook_runs_and_finds_what_it_says(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(SAID[name]))
    client = NotebookClient(notebook, timeout=280, startup_timeout=280, resources={"metadata": {"path": str(FOLDER)}})
    client.execute(env={**os.environ, "OMP_NUM_THREADS": "1"})  # beside busy neighbours, threads wait for each other


def test_every_notebook_is_run() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == SAID.keys()
