"""The recipe: everything that a training run depends on, as data. Needs no torch, so the command line can read it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import DataError

NAMED = Path(__file__).with_name("recipes.toml")
NOUNS: dict[type, str] = {int: "a whole number", float: "a number"}
MOST = 10**6  # upper limit of settings that declare none


def option(default: Any, text: str, least: float = 0, most: float = MOST) -> Any:
    """Declare a setting with its help text; a number must be from `least` to `most`."""
    return field(default=default, metadata={"help": text, "range": (least, most)})


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run, with the defaults of what ships. `inkdigit train --set` changes any of them."""

    network: str = option("flagship", "Name of the classifier network.")
    optimiser: str = option("adamw", "adamw, adam, or sgd (with Nesterov momentum).")
    rate: float = option(6e-3, "Learning rate; the highest of a one-cycle schedule.", least=1e-8, most=10)
    schedule: str = option("one-cycle", "Schedule of the learning rate: one-cycle or constant.")
    weight_decay: float = option(0.02, "Decoupled weight decay.")
    batch: int = option(128, "Batch size.", least=1)
    epochs: int = option(16, "Epochs of the classifier; 0 keeps that of --from.")
    localizer_epochs: int = option(6, "Epochs of the localizer; 0 keeps that of --from.")
    sheets: int = option(48_000, "Photographed sheets to draw for training.")
    pens: int = option(8, "How often each pen digit is drawn, each time with another pen; 0 leaves them out.")
    redrawn: int = option(0, "How often MNIST's digits are redrawn along their middle line.")
    invented: int = option(20_000, "Digits to invent in forms of other countries, and as many signs and glyphs.")
    distortion: float = option(0.8, "Strength of the distortion of training frames; 0 for none.", most=10)
    fading: float = option(0.5, "Fraction of the epochs, at the end, over which the distortion fades to zero.", most=1)
    revisited: float = option(
        0.7,
        "Fraction of the pictures that each epoch after the first visits: one third are the hardest, the rest random.",
        least=0.01,
        most=1,
    )
    precision: str = option(
        "auto", "Floating-point type of training: float32, bfloat16, or auto: whichever is faster on the device."
    )
    label_smoothing: float = option(0.02, "Fraction of the target that is spread over all labels.", most=1)
    validation_writers: int = option(3, "Pen writers held out for validation.", least=1, most=19)  # of 20
    begin_with: str = option("", "Run (its folder) or model (name or .onnx) to initialise from: --from.")
    teachers: str = option("", "Runs or models, separated by commas, whose mean output is distilled beside the labels.")
    localizer: str = option(
        "", "Model (name or .onnx) or run whose localizer is used as it is, instead of training one."
    )
    seed: int = option(1, "Seed of everything random; what is held out does not depend on it.", most=2**32 - 1)
    pictures: int = option(60_000, "Pictures of MNIST's training set to use, including those held out.", least=2)
    validation: int = option(5000, "Pictures of MNIST's training set held out for validation.", least=1)

    def __post_init__(self) -> None:
        """Check the ranges of all numbers. Raises DataError."""
        for item in fields(self):
            value, (least, most) = getattr(self, item.name), item.metadata["range"]
            if not isinstance(value, str) and not least <= value <= most:  # as NaN is not
                raise DataError(f"{item.name} is a number from {least:,} to {most:,}, not {value}.")
        if self.validation >= self.pictures:
            raise DataError(f"validation {self.validation} leaves none of pictures {self.pictures} to train on.")

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return asdict(self)

    def without_folders(self) -> dict[str, Any]:
        """Return the recipe with names in the place of the paths of runs and models, as the contract has it."""
        named = {key: names_of(getattr(self, key)) for key in ("begin_with", "teachers", "localizer")}
        return self.as_dict() | named


def names_of(places: str) -> str:
    """Return the names of runs and models, separated by commas, without their folders."""
    return ",".join(Path(place).name for place in places.split(","))


def named_recipes() -> dict[str, dict[str, Any]]:
    """Return the named recipes: which settings each changes."""
    import tomllib  # noqa: PLC0415  only training pays for it

    return tomllib.loads(NAMED.read_text(encoding="utf-8"))


def named_recipe(name: str, given: Mapping[str, Any]) -> Recipe:
    """Return a recipe by its name, or the default one for "", changed by what was `given`. Raises DataError."""
    recipes = named_recipes()
    if name and name not in recipes:
        raise DataError(f"There is no recipe {name!r}; there are: {', '.join(recipes)}.")
    return Recipe(**{**recipes.get(name, {}), **given})


def parse_settings(texts: Iterable[str], recipe: Any = Recipe) -> dict[str, Any]:
    """Return the fields that `KEY=VALUE` texts name, each value in its field's type. Raises DataError."""
    types: dict[str, type[Any]] = {item.name: type(item.default) for item in fields(recipe)}
    parsed: dict[str, Any] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        name = key.replace("-", "_")
        if not separator or name not in types:
            raise DataError(f"--set takes KEY=VALUE, not {text!r}; KEY is one of: {', '.join(types)}.")
        try:
            parsed[name] = types[name](value)
        except ValueError:
            raise DataError(f"--set {text}: {key} takes {NOUNS[types[name]]}.") from None
    return parsed


def settings_help() -> Iterator[str]:
    """Yield a line for each setting: its name, default and help text."""
    for item in fields(Recipe):
        yield f"{item.name}={item.default}  {item.metadata['help']}"
