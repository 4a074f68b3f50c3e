"""The page to review a table: one file that works offline. What is not sure comes first; it saves the corrected CSV."""

import base64
import json
from pathlib import Path
from typing import Any

from .table import Cell, Table

TEMPLATE = Path(__file__).parent / "review.html"
PLACE = ">{}<"  # in the template: where the data go


def review_page(table: Table, name: str) -> str:
    """Return the page; `name` is that of the CSV that it saves."""
    cells: list[dict[str, Any]] = []
    rows = [[_value(value, cells) for value in row] for row in table.rows]
    data = json.dumps({"name": name, "columns": list(table.columns), "rows": rows, "cells": cells}, ensure_ascii=False)
    template = TEMPLATE.read_text(encoding="utf-8")
    safe = data.replace("<", "\\u003c")
    return template.replace(PLACE, f">{safe}<", 1)


def _value(value: Any, cells: list[dict[str, Any]]) -> Any:
    """Return a value as JSON; a cell becomes its place among `cells`."""
    if not isinstance(value, Cell):
        return str(value) if isinstance(value, bool) else value
    cells.append(
        {
            "text": value.text,
            "confidence": value.confidence,
            "isSure": value.is_sure,
            "alternatives": value.alternatives,
            "place": value.place,
            "crop": base64.b64encode(value.crop).decode(),
        }
    )
    return {"cell": len(cells) - 1}
