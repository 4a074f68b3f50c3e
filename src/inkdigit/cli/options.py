"""Flags that several commands have, and the recipe's fields as flags of one."""

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ..train.recipe import Recipe, flag

ModelOption = Annotated[str, typer.Option("--model", help="A shipped model's name, or the path of an .onnx artefact.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the data sets.  [default: $INKDIGIT_DATA, else downloaded]")
]
# A door's options are its settings, which pydantic-settings reads.
DOOR: Any = {"context_settings": {"ignore_unknown_options": True, "help_option_names": []}}
Flags = Annotated[list[str] | None, typer.Argument(metavar="[OPTIONS]")]


def with_recipe_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a flag for every field of the recipe, in the place of its `**given`; None where it is not."""
    signature = inspect.signature(command)
    flags = [_flag(item) for item in fields(Recipe)]
    own = [parameter for parameter in signature.parameters.values() if parameter.kind != parameter.VAR_KEYWORD]
    command.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
    command.__annotations__ |= {flag.name: flag.annotation for flag in flags}
    return command


def _flag(item: "Field[Any]") -> inspect.Parameter:
    kind: Any = Annotated[type(item.default) | None, _option(item)]
    return inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _option(item: "Field[Any]") -> Any:
    """Make the option of one field of the recipe, with the default that it has in the recipe that ships."""
    text = item.metadata["help"] + (f" ({item.default})" if item.default != "" else "")
    return typer.Option(flag(item.name), *item.metadata["aliases"], help=text)
