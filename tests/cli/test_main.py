"""The command itself: its help and version."""

from importlib.metadata import version

from .command import inkdigit


def test_help_lists_the_commands_and_version_is_the_package_s() -> None:
    out, _ = inkdigit("--help")
    assert all(command in out for command in ("predict", "serve", "train", "evaluate", "export", "models"))
    assert inkdigit("--version")[0] == f"inkdigit {version('inkdigit')}\n"
