"""`inkdigit train` and `inkdigit export`: both need the extra `train`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from ..model_file import DEFAULT_MODEL
from ..terminal import say, warn
from .options import DataOption, require_extra


def train(
    data: DataOption = None,
    task: Annotated[
        Literal["digit", "number"], typer.Option(help="What the model is for: predict (digit) or read (number).")
    ] = "digit",
    out: Annotated[Path, typer.Option(help="Folder of the run: weights and model file.")] = Path("runs/latest"),
    name: Annotated[str, typer.Option(help="Name of the model file.")] = DEFAULT_MODEL,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run from its checkpoints.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write the metrics for TensorBoard, in --out.")
    ] = False,
    recipe: Annotated[
        str | None,
        typer.Option(help="Recipe to start with, e.g. quick; own is that of a folder of your own images."),
    ] = None,
    network: Annotated[str | None, typer.Option(help="Classifier network: flagship, small, tiny, lenet5, …")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of the classifier.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Run or model whose weights the run is initialised from.")
    ] = None,
    corrections: Annotated[
        str, typer.Option(metavar="URL", help="Store of corrections to learn, beside what --from knows.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Another setting of the recipe, e.g. --set batch=256; repeatable."
        ),
    ] = None,
    settings_list: Annotated[bool, typer.Option("--settings", help="List what --set can change, and exit.")] = False,
) -> None:
    """Train a network and export the model file. Ctrl-C stops early and keeps what was learnt."""
    if settings_list:
        _list_settings()
    require_extra("train", "torch", "PyTorch")
    if tensorboard:
        require_extra("tensorboard", "tensorboard", "TensorBoard")
    from ..train.recipe import named_recipe, parse_settings  # noqa: PLC0415

    if task == "number":
        if any(given is not None for given in (recipe, network, epochs, start)):
            raise typer.BadParameter("--recipe, --network, --epochs and --from are for the task digit; use --set")
        _train_numbers(data, out, resume, [*(settings or []), *([f"seed={seed}"] if seed is not None else [])])
        return
    if corrections:
        if resume or tensorboard or recipe is not None or network is not None:
            raise typer.BadParameter("--corrections goes without --resume, --tensorboard, --recipe and --network")
        chosen_flags = {"epochs": epochs, "seed": seed, "begin_with": start or DEFAULT_MODEL}
        _learn_corrections(corrections, data, out, name, device, chosen_flags, settings or [])
        return
    flags = {"network": network, "epochs": epochs, "seed": seed, "begin_with": start}
    given = parse_settings(settings or []) | {key: value for key, value in flags.items() if value is not None}
    from ..train.custom_dataset import custom_folder  # noqa: PLC0415  torch takes a second: a typing error should not
    from ..train.fit.loop import Stopped  # noqa: PLC0415
    from ..train.run import train as run  # noqa: PLC0415

    chosen = named_recipe(recipe or ("own" if custom_folder(data) else ""), given)
    try:
        model_file = run(chosen, data, out, name, device, resume, tensorboard)
    except Stopped:
        warn(
            f"Stopped before there was a model to save; repeat the command with --resume to continue the run in {out}."
        )
        raise typer.Exit(1) from None
    if model_file:
        say(f"{model_file} is ready: inkdigit predict --model {model_file} FILE")


def _learn_corrections(
    url: str,
    data: Path | None,
    out: Path,
    name: str,
    device: str,
    flags: Mapping[str, int | str | None],
    settings: list[str],
) -> None:
    require_extra("corrections", "sqlalchemy", "SQLAlchemy")
    from ..corrections.store import Store  # noqa: PLC0415
    from ..train.correction_run import learn  # noqa: PLC0415  torch takes a second
    from ..train.recipe import named_recipe, parse_settings  # noqa: PLC0415

    given = parse_settings(settings) | {key: value for key, value in flags.items() if value is not None}
    recipe = named_recipe("corrections", given)
    store = Store(url)
    every = store.all()
    store.close()
    outcome = learn(every, recipe, data, out, name, device, _ask_about)
    if outcome.model_file is None:
        warn(f"The model stays as it was: {'; '.join(outcome.reasons)}.")
        raise typer.Exit(1)
    say(f"{outcome.model_file} is ready: inkdigit predict --model {outcome.model_file} FILE")


def _ask_about(doubtful: Sequence[str]) -> bool:
    """Show labels that every model contradicts with certainty, and ask whether to learn them; a script learns them."""
    for sentence in doubtful:
        warn(f"every model is sure of another digit: {sentence}")
    if not sys.stdin.isatty():
        return True
    return typer.confirm("Learn from these too?", default=True, err=True)


def _train_numbers(data: Path | None, out: Path, resume: bool, settings: list[str]) -> None:
    from ..train.fit.loop import Stopped  # noqa: PLC0415  torch takes a second
    from ..train.number_run import NumberRecipe, train_numbers  # noqa: PLC0415
    from ..train.recipe import parse_settings  # noqa: PLC0415

    recipe = NumberRecipe(**parse_settings(settings, NumberRecipe))
    try:
        model_file = train_numbers(recipe, data, out, resume)
    except Stopped:
        warn(f"Stopped; repeat the command with --resume to continue the run in {out}.")
        raise typer.Exit(1) from None
    say(f"{model_file} is ready: inkdigit read --model {model_file} FILE")


def _list_settings() -> NoReturn:
    from ..train.recipe import settings_help  # noqa: PLC0415

    for line in settings_help():
        say(line)
    raise typer.Exit


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    to: Annotated[Path | None, typer.Option(help="File to write; default: in the run's folder.")] = None,
    data: DataOption = None,
    form: Annotated[
        Literal["onnx", "torch-export"],
        typer.Option("--format", help="A model file, or a .pt2 file for PyTorch users."),
    ] = "onnx",
    int8: Annotated[bool, typer.Option("--int8", help="Quantise the classifier's layers to 8 bits.")] = False,
) -> None:
    """Export a run's weights as a model file, checked against PyTorch before it is renamed into place."""
    require_extra("train", "torch", "PyTorch")
    if int8 and form != "onnx":
        raise typer.BadParameter("--int8 needs the format onnx")
    from ..train.export.run_export import export_run, export_run_program  # noqa: PLC0415

    if int8:
        from ..train.export.quantize import export_int8 as write  # noqa: PLC0415
    else:
        write = export_run if form == "onnx" else export_run_program
    say(f"{write(run, to, data)} is ready")
