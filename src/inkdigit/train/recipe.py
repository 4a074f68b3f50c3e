"""The recipe: everything that a training run depends on, as data. It needs no torch: the command line reads it."""

from dataclasses import asdict, dataclass, field
from typing import Any


def option(default: Any, text: str) -> Any:
    """Declare a field of the recipe with the help text that the command line shows for it."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Recipe:
    """Hold what a training run depends on; its fields are the flags of `inkdigit train`, its defaults what ships."""

    network: str = option("flagship", "The network's name.")
    optimiser: str = option("adamw", "adamw or sgd (with Nesterov momentum).")
    rate: float = option(4e-3, "The highest learning rate of the one-cycle schedule.")
    weight_decay: float = option(0.02, "Weight decay, decoupled.")
    batch: int = option(128, "Pictures a step.")
    epochs: int = option(14, "Passes over the frames, for the network.")
    glance_epochs: int = option(6, "Passes over the sheets of paper, for the glance.")
    sheets: int = option(44_000, "Pictures of paper that are made to train on.")
    pens: int = option(6, "How often each pen digit is drawn, each time with another pen; 0 for none.")
    invented: int = option(12_000, "Digits invented in the forms of other countries, and as many signs.")
    label_smoothing: float = option(0.02, "Part of the target that is spread over all labels.")
    validation_writers: int = option(3, "Pen writers that are held out likewise.")
    begin_with: str = option("", "Folder of a run whose glance is kept and whose network is trained on.")
    seed: int = option(1, "Seed of everything random.")
    pictures: int = option(60_000, "Pictures of MNIST's training set that are read, the held out ones included.")
    validation: int = option(5000, "Pictures of the training set that are held out to choose and calibrate by.")

    def as_dict(self) -> dict[str, Any]:
        """Give the recipe as JSON values."""
        return asdict(self)
