"""Write the table of settings into docs/deploy.md, from `inkdigit.settings`: python -m docs.settings."""

import argparse
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from inkdigit.settings import PREFIX, Settings

PAGE = Path(__file__).parent / "deploy.md"
MARK = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table() -> str:
    """Return a Markdown table with a row for each setting of the service."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join(["| variable | flag | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    flag = "none" if argparse.SUPPRESS in field.metadata else f"`--{name.replace('_', '-')}`"
    choices = f" One of {', '.join(get_args(field.annotation))}." if get_origin(field.annotation) is Literal else ""
    return f"| `{PREFIX}{name.upper()}` | {flag} | {_text(field.default)} | {field.description}{choices} |"


def _text(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text.lower() if isinstance(value, bool) else text}`" if text else "none"


def main() -> None:
    """Write the table."""
    text = PAGE.read_text(encoding="utf-8")
    draft = PAGE.with_suffix(".tmp")
    draft.write_text(MARK.sub(lambda _: table(), text), encoding="utf-8")
    draft.replace(PAGE)


if __name__ == "__main__":
    main()
