"""The recipe: everything that a training run depends on, as data. It needs no torch: the command line reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import DataError

NAMED = Path(__file__).with_name("recipes.toml")
NOUNS: dict[type, str] = {int: "a whole number", float: "a number"}
MOST = 10**6  # of anything that has no limit of its own


def option(default: Any, text: str, *aliases: str, least: float = 0, most: float = MOST) -> Any:
    """Declare a field of the recipe with its flag's help text and other names; a number is from `least` to `most`."""
    return field(default=default, metadata={"help": text, "aliases": aliases, "range": (least, most)})


def flag(name: str) -> str:
    """Return the flag of a field."""
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True)
class Recipe:
    """Hold what a training run depends on; its fields are the flags of `inkdigit train`, its defaults what ships."""

    network: str = option("flagship", "The network's name.")
    optimiser: str = option("adamw", "adamw, adam, or sgd (with Nesterov momentum).")
    rate: float = option(6e-3, "The learning rate, the highest of a one-cycle schedule.", least=1e-8, most=10)
    schedule: str = option("one-cycle", "How the rate goes: one-cycle or constant.")
    weight_decay: float = option(0.02, "Weight decay, decoupled.")
    batch: int = option(128, "Pictures a step.", least=1)
    epochs: int = option(16, "Passes over the frames, for the network; 0 keeps the one that a run begins with.")
    digitness_only: int = option(0, "1: what tells digits from none goes on alone, and the reading stays.", most=1)
    localizer_epochs: int = option(6, "Passes over the sheets of paper, for the localizer; 0 likewise.")
    sheets: int = option(48_000, "Pictures of paper that are made to train on.")
    pens: int = option(8, "How often each pen digit is drawn, each time with another pen; 0 for none.")
    redrawn: int = option(0, "How often MNIST's digits are drawn once more, along their middle line; 0 for never.")
    invented: int = option(20_000, "Digits invented in the forms of other countries, and as many signs and glyphs.")
    distortion: float = option(0.8, "How strongly frames are distorted in training; 0 for not at all.", most=10)
    fading: float = option(0.5, "Part of all epochs, the last, over which distortion fades to nothing.", most=1)
    revisited: float = option(
        0.7,
        "Part of the pictures that each epoch but the first visits: a third of those the hardest, the others any.",
        least=0.01,
        most=1,
    )
    precision: str = option("auto", "The networks' floats: float32, bfloat16, or auto: the faster one on the device.")
    label_smoothing: float = option(0.02, "Part of the target that is spread over all labels.", most=1)
    validation_writers: int = option(3, "Pen writers that are held out likewise.", least=1, most=19)  # of 20
    begin_with: str = option("", "Run (its folder) or model (name or .onnx) whose weights are trained on.", "--from")
    mix_with: str = option(
        "", "Run (its folder) or model (name or .onnx) whose weights are mixed into those that a run begins with."
    )
    mix_part: float = option(0.2, "How much of that run's weights, 0..1.", most=1)
    taught_by: str = option(
        "", "Runs or models, with commas between them, whose mean answer is learnt beside the labels."
    )
    localizer: str = option(
        "", "Model (name or .onnx) or run whose localizer is taken as it is, in place of training one."
    )
    seed: int = option(1, "Seed of everything random but what is held out, which is the same for all.", most=2**32 - 1)
    pictures: int = option(60_000, "Pictures of MNIST's training set that are read, held out ones included.", least=2)
    validation: int = option(5000, "Pictures of the training set held out to choose and calibrate by.", least=1)

    def __post_init__(self) -> None:
        """Refuse numbers out of their ranges. Raises DataError."""
        for item in fields(self):
            value, (least, most) = getattr(self, item.name), item.metadata["range"]
            if not isinstance(value, str) and not least <= value <= most:  # as NaN is not
                raise DataError(f"{flag(item.name)} is a number from {least:,} to {most:,}, not {value}.")
        if self.validation >= self.pictures:
            raise DataError(f"--validation {self.validation} leaves none of --pictures {self.pictures} to train on.")

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return asdict(self)


def named_recipes() -> dict[str, dict[str, Any]]:
    """Read the recipes that have a name: what each changes of the defaults."""
    import tomllib  # noqa: PLC0415  only training pays for it

    return tomllib.loads(NAMED.read_text(encoding="utf-8"))


def named_recipe(name: str, given: Mapping[str, Any]) -> Recipe:
    """Return a recipe by its name, with what was `given` in the place of its own values. Raises DataError."""
    recipes = named_recipes()
    if name not in recipes:
        raise DataError(f"There is no recipe {name!r}; there are: {', '.join(recipes)}.")
    return Recipe(**{**recipes[name], **given})


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Return the fields that `KEY=VALUE` texts name, each value in its field's type. Raises DataError."""
    types: dict[str, type[Any]] = {item.name: type(item.default) for item in fields(Recipe)}
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
