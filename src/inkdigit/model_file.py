"""Model files and their contract, stored as ONNX metadata: open, verify, refuse. Knows nothing of pictures."""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

# Else ONNX Runtime, from its import on, reports to its maker, and keeps an id of the machine in the user's cache.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

from .errors import ArtefactError
from .prediction import Thresholds

CONTRACT_VERSION = 1
DEFAULT_MODEL = "inkdigit"
MODELS = Path(__file__).parent / "models"
SUFFIX = ".onnx"
PREVIOUS = "previous"  # folder beside a model file, with the one that it replaced

# All that ONNX Runtime raises of its own; they have no base in common.
ORT_ERRORS: Final = tuple(
    kind
    for kind in vars(ort.capi.onnxruntime_pybind11_state).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
)

DIGIT, NUMBER = "digit", "number"  # tasks: what `predict` and what `read` runs
DEFAULT_READER = "numbers"  # the shipped model of the task `number`
INPUTS = {"pixels": ("tensor(uint8)", 3)}
OUTPUTS = {"probabilities": ("tensor(float)", 2), "frame": ("tensor(float)", 3), "digitness": ("tensor(float)", 1)}
# Candidates of a picture: boxes [K, 4] in px, probabilities [K, C], which are marks but no symbols [K], and whether
# there were more candidates than the graph keeps [1].
NUMBER_OUTPUTS = {
    "boxes": ("tensor(float)", 2),
    "probabilities": ("tensor(float)", 2),
    "is_mark": ("tensor(bool)", 1),
    "truncated": ("tensor(bool)", 1),
}
TENSORS: Final = {DIGIT: OUTPUTS, NUMBER: NUMBER_OUTPUTS}


@dataclass(frozen=True)
class Contract:
    """What a model file says about itself; every field is a JSON value under its own name in the ONNX metadata."""

    name: str
    version: str
    labels: tuple[str, ...]
    architecture: str
    thresholds: Thresholds
    recipe: Mapping[str, Any]
    sources: Mapping[str, str]  # SHA-256 of each file that was trained on
    scores: Mapping[str, Mapping[str, float]]  # per evaluation source
    inkdigit: str  # the version that exported it
    commit: str  # git; empty where the tree was no checkout
    contract_version: int = field(default=CONTRACT_VERSION)
    validation: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # distribution of predictions: `drift`
    task: str = DIGIT
    calibration: Mapping[str, float] = field(default_factory=dict)  # of a number's confidence: `layout.Calibration`
    corrections: Mapping[str, Any] = field(default_factory=dict)  # that it has learnt: their count, the last time

    def metadata(self) -> dict[str, str]:
        """Return the contract as ONNX metadata."""
        return {key: json.dumps(value, sort_keys=True) for key, value in asdict(self).items()}


def parse_contract(metadata: Mapping[str, str], path: Path) -> Contract:
    """Read a contract from ONNX metadata. Raises ArtefactError with both values named where it does not fit."""
    if "contract_version" not in metadata:
        raise ArtefactError(f"{path} is no Inkdigit artefact: its metadata has no contract_version.")
    try:
        values = {key: json.loads(text) for key, text in metadata.items() if key in _FIELDS}
    except json.JSONDecodeError as error:
        raise ArtefactError(f"{path}: the contract is not JSON: {error}.") from error
    if values["contract_version"] != CONTRACT_VERSION:
        raise ArtefactError(
            f"{path} has contract version {values['contract_version']}, and this Inkdigit reads {CONTRACT_VERSION}."
        )
    if missing := _NEEDED - values.keys():
        raise ArtefactError(f"{path}: the contract lacks {', '.join(sorted(missing))}.")
    if wrong := [key for key, fits in _FITS.items() if key in values and not fits(values[key])]:
        raise ArtefactError(f"{path}: the contract is malformed: {wrong[0]} is {json.dumps(values[wrong[0]])}.")
    return Contract(**{**values, "labels": tuple(map(str, values["labels"])), "thresholds": _thresholds(values, path)})


def _thresholds(values: Mapping[str, Any], path: Path) -> Thresholds:
    given = values["thresholds"]
    names = {item.name for item in fields(Thresholds)}
    if given.keys() != names or not all(_is_number(value) and 0 <= value <= 1 for value in given.values()):
        raise ArtefactError(f"{path}: the contract is malformed: thresholds is {json.dumps(given)}.")
    return Thresholds(**given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _has_figures(value: Any) -> bool:
    """Return whether a value has numbers by name, for each of some names."""
    return _is_table(value) and all(_is_table(row) and all(map(_is_number, row.values())) for row in value.values())


def _has_labels(value: Any) -> bool:
    return isinstance(value, list) and len(set(map(str, value))) == len(value)


_FIELDS = frozenset(item.name for item in fields(Contract))
_NEEDED = _FIELDS - {"validation", "task", "calibration", "corrections"}  # which the first artefacts do not have
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "name": _is_name,
    "labels": _has_labels,
    "task": TENSORS.__contains__,
    "calibration": lambda value: _is_table(value) and all(map(_is_number, value.values())),
    **dict.fromkeys(("version", "architecture", "inkdigit", "commit"), _is_text),
    **dict.fromkeys(("thresholds", "recipe", "sources", "corrections"), _is_table),
    **dict.fromkeys(("scores", "validation"), _has_figures),
}


def model_names() -> list[str]:
    """List the shipped artefacts by name, the default first."""
    return sorted((path.stem for path in MODELS.glob(f"*{SUFFIX}")), key=lambda name: (name != DEFAULT_MODEL, name))


def digit_model_names() -> list[str]:
    """Return the names of the shipped models of the task `digit`, the default first."""
    return [name for name in model_names() if name != DEFAULT_READER]


def split_name(model: str | Path) -> tuple[str, str | Path]:
    """Split `NAME=MODEL`, which gives a model another name; an empty name means that none was given."""
    named = re.fullmatch(r"([\w.-]+)=(.+)", model) if isinstance(model, str) else None
    return (named[1], named[2]) if named else ("", model)


def model_path(model: str | Path) -> Path:
    """Find an artefact: what ends in `.onnx` is a path, anything else a shipped model's name. Raises ArtefactError."""
    if str(model).endswith(SUFFIX):
        return Path(model)
    if str(model) not in model_names():
        raise ArtefactError(f"There is no model named {model}; the shipped ones are: {', '.join(model_names())}.")
    return MODELS / f"{model}{SUFFIX}"


def weights_beside(path: Path) -> Path:
    """Return where the float weights of a model file lie, from which training starts."""
    return path.with_suffix(".safetensors")


def previous_of(path: Path) -> Path:
    """Return where the model file is kept that another one replaced."""
    return path.parent / PREVIOUS / path.name


def is_run(name: str) -> bool:
    """Return whether a name is a run's folder; a shipped model's name wins, and `./NAME` is always a folder."""
    is_folder = os.path.isdir(name)  # noqa: PTH112  Path's raises where it may not look
    return is_folder and name not in model_names() and not name.endswith(SUFFIX)


def artefacts(named: Iterable[str]) -> dict[str, Path]:
    """Find the artefacts of models and of runs, each under the name that tells it apart; a run's are in its folder.

    Raises ArtefactError.
    """
    found: dict[str, Path] = {}
    for name in named:
        inside = sorted(Path(name).glob(f"*{SUFFIX}")) if is_run(name) else [model_path(name)]
        if not inside:
            raise ArtefactError(f"There is no artefact (*{SUFFIX}) in {name}.")
        found |= {name: inside[0]} if len(inside) == 1 else {str(path): path for path in inside}
    return found


def open_artefact(path: Path) -> tuple[ort.InferenceSession, Contract]:
    """Open an artefact for inference. Raises ArtefactError where the file or its contract does not fit."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # A worker that has read a phone's photograph must not keep its memory.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    try:
        if not path.is_file():
            raise ArtefactError(f"There is no model file {path}.")
        path.open("rb").close()  # says why it may not be read, as ONNX Runtime does not
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ArtefactError(f"The model file {path} cannot be read: {error.strerror}.") from error
    except ORT_ERRORS as error:
        raise ArtefactError(f"{path} is not a model that ONNX Runtime {ort.__version__} can load.") from error
    contract = parse_contract(session.get_modelmeta().custom_metadata_map, path)
    _check_tensors(path, session.get_inputs(), INPUTS)
    _check_tensors(path, session.get_outputs(), TENSORS[contract.task])
    _check_labels(path, session.get_outputs(), contract)
    return session, contract


def _check_tensors(path: Path, found: list[Any], wanted: Mapping[str, tuple[str, int]]) -> None:
    have = {node.name: (node.type, len(node.shape)) for node in found}
    if have != wanted:
        raise ArtefactError(f"{path} has the tensors {have}, and the contract asks for {dict(wanted)}.")


def _check_labels(path: Path, outputs: list[Any], contract: Contract) -> None:
    (classes,) = (node.shape[1] for node in outputs if node.name == "probabilities")
    if classes != len(contract.labels):
        raise ArtefactError(
            f"{path} gives {classes} probabilities, and its contract has {len(contract.labels)} labels."
        )
