"""The commands that start a server say which extra is missing."""

import subprocess
import sys

import pytest

from ..serving import environment


def without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as if a module were not installed."""
    code = f"import sys; sys.modules[{module!r}] = None; from inkdigit.cli.main import main; main()"
    line = [sys.executable, "-c", code, *arguments]
    return subprocess.run(line, env=environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("extra", "module", "name", "command"),
    [
        ("serve", "fastapi", "FastAPI", "serve"),
        ("serve", "fastapi", "FastAPI", "up"),
        ("gradio", "gradio", "Gradio", "gradio"),
        ("gradio", "gradio", "Gradio", "serve --gradio --port=0"),
        ("gradio", "gradio", "Gradio", "up --port=0"),
        ("streamlit", "streamlit", "Streamlit", "streamlit"),
        ("serve", "prometheus_client", "prometheus-client", "drift metrics.txt"),
        ("train", "torch", "PyTorch", "train"),
    ],
)
def test_a_missing_extra_is_named_in_one_sentence(extra: str, module: str, name: str, command: str) -> None:
    done = without(module, *command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"inkdigit: {name} is not installed: pip install 'inkdigit[{extra}]'.\n"
