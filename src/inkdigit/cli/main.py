"""The command line: one command per verb, each importing its half of Inkdigit when it runs.

Exit codes: 0 all done; 1 some input failed; 2 wrong usage or set-up, and nothing was done.
"""

import io
import json
import os
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import ArtefactError, DataError, InputError
from ..model_file import DEFAULT_MODEL
from ..terminal import fail, progress_bar, say, warn, writing
from ..train.recipe import named_recipe
from .options import DOOR, DataOption, Flags, ModelOption, with_recipe_flags

if TYPE_CHECKING:
    from ..evaluation.scores import Score
    from ..recognizer import Recognizer
    from ..settings import DoorSettings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Read handwritten digits."
)


def main() -> None:
    """Run the command line; what is wrong with the set-up is one sentence and exit code 2."""
    if sys.stderr is None:  # closed; what is wrong would go to stdout
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # Pillow's, of files that the command itself has one sentence for
    try:
        app()
    except (ArtefactError, DataError) as error:
        fail(str(error))


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Read handwritten digits."""
    if version:
        from .. import __version__  # noqa: PLC0415

        say(f"inkdigit {__version__}")
        raise typer.Exit


@app.command()
def predict(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE|FOLDER|-", help="Pictures; - reads one from stdin.")],
    model: ModelOption = DEFAULT_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table with a head.")] = False,
) -> None:
    """Read the digit on each picture."""
    from ..image import MAX_BYTES  # noqa: PLC0415
    from ..output import csv_writer, write_json, write_text  # noqa: PLC0415
    from ..recognizer import Recognizer  # noqa: PLC0415
    from .batch import picture_files, predict_many  # noqa: PLC0415

    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    if sys.stdout is None:
        fail("There is no stdout to write the answers to.")
    recognizer = Recognizer(model)
    files = list(picture_files(inputs))
    if not files:
        fail("There are no pictures in the folders named.")
    failed = False
    images = (_stdin(MAX_BYTES + 1) if name == "-" else Path(name) for name in files)
    with progress_bar("reading", len(files)) as advance, writing():
        write = write_json if as_json else csv_writer(sys.stdout) if as_csv else write_text
        for name, answer in zip(files, predict_many(recognizer, images), strict=True):
            failed |= isinstance(answer, InputError)
            write(name, answer)
            advance(1)
    raise typer.Exit(int(failed))


def _stdin(count: int) -> bytes:
    """Read so many bytes of stdin, or as many as it has: none where it is closed, or cannot be read."""
    with suppress(OSError):
        return sys.stdin.buffer.read(count) if sys.stdin else b""
    return b""


@app.command(**DOOR)
def serve(flags: Flags = None) -> None:
    """Serve the page and the HTTP interface; its options are the settings, which only this command loads."""
    from ..settings import Settings  # noqa: PLC0415

    _open(Settings, flags, "inkdigit.server.serve")


@app.command(**DOOR)
def gradio(flags: Flags = None) -> None:
    """Serve the Gradio app: draw a digit, or open a picture."""
    from ..settings import GradioSettings  # noqa: PLC0415

    _open(GradioSettings, flags, "inkdigit.demos.gradio_server", extra="gradio")


@app.command(**DOOR)
def streamlit(flags: Flags = None) -> None:
    """Serve the Streamlit app: draw a digit, or open many pictures as a table."""
    from ..settings import StreamlitSettings  # noqa: PLC0415

    _open(StreamlitSettings, flags, "inkdigit.demos.streamlit_server", extra="streamlit")


@app.command(**DOOR)
def up(flags: Flags = None) -> None:
    """Serve the page, Gradio and, with --streamlit, Streamlit together; when one ends, all do."""
    from ..settings import UpSettings  # noqa: PLC0415

    _open(UpSettings, flags, "inkdigit.cli.up")


def _open(kind: "type[DoorSettings]", flags: list[str] | None, module: str, extra: str = "") -> None:
    """Run the `serve` of a module, which is imported only when its extra is there."""
    from ..server.launch import SetupError, need_extra, read_settings  # noqa: PLC0415

    try:
        settings = read_settings(kind, flags or [])
        if extra:
            need_extra(extra)
        import_module(module).serve(settings, say)
    except SetupError as error:
        fail(str(error))


@app.command()
def models(
    named: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN|MODEL]...", help="Only these.  [default: what ships]")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The whole contract of each, as one JSON object a line.")
    ] = False,
) -> None:
    """List the shipped models, or those named: what each is, and the accuracy that it reached."""
    from ..model_file import artefacts, model_names, open_artefact  # noqa: PLC0415

    found = {name: (path, open_artefact(path)[1]) for name, path in artefacts(named or model_names()).items()}
    if as_json:
        for _, contract in found.values():
            say(json.dumps(asdict(contract)))
        return
    from ..evaluation.reports import model_table, print_table  # noqa: PLC0415

    print_table(model_table(found))


@app.command()
def evaluate(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN|MODEL]...", help=f"What is compared.  [default: {DEFAULT_MODEL}]"),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="The same as naming it without this flag.")] = None,
    data: DataOption = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only these sources.  [default: all]")] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for confusion.png and mistakes.png, the worst mistakes; of one model.")
    ] = None,
) -> None:
    """Score models side by side: figures per source, and how well no digits are told apart; of one, its confusions.

    A run stands for the artefacts in its folder. A source that is not asked for by name, and is not there, is passed
    over with a word (exit code 1).
    """
    from ..evaluation.reports import print_confusions, print_scores  # noqa: PLC0415
    from ..evaluation.scores import SOURCES, recognizer_of_digits  # noqa: PLC0415
    from ..model_file import artefacts  # noqa: PLC0415
    from .compare import check_sources, score_all  # noqa: PLC0415

    check_sources(source or ())
    paths = artefacts([*(named or ()), *(model or ())] or [DEFAULT_MODEL])
    recognizers = {name: recognizer_of_digits(path) for name, path in paths.items()}
    if pictures is not None and len(recognizers) > 1:
        raise typer.BadParameter("--pictures draws the mistakes of one model at a time")
    scores = score_all(recognizers, source or (), data)
    print_scores(scores)
    if len(recognizers) == 1:
        ((name, recognizer),) = recognizers.items()
        only = {source: results[name] for source, results in scores.items() if results and source in SOURCES}
        print_confusions(only, recognizer.contract.labels)
        if pictures is not None:
            _draw(recognizer, only, data, pictures)
    raise typer.Exit(int(None in scores.values()))


def _draw(recognizer: "Recognizer", results: "dict[str, Score]", data: Path | None, folder: Path) -> None:
    _need("matplotlib", "--pictures", "train")
    from ..evaluation.scores import SOURCES  # noqa: PLC0415
    from ..train.plots import plot_results  # noqa: PLC0415

    plot_results(recognizer, results, {name: SOURCES[name](data) for name in results}, folder)


def train(
    data: DataOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the run: weights and artefact.")] = Path("runs/latest"),
    name: Annotated[str, typer.Option(help="The artefact's name.")] = DEFAULT_MODEL,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out from its checkpoints.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write the figures for TensorBoard too, in --out.")
    ] = False,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe by its name; other flags change it (shipped, or own for own pictures)."),
    ] = None,
    **given: Any,
) -> None:
    """Train a network and export the artefact; Ctrl-C ends early with what was learnt."""
    _need("torch", "Training", "train")
    if tensorboard:
        _need("tensorboard", "--tensorboard", "tensorboard")
    from ..train.custom_dataset import own_folder  # noqa: PLC0415
    from ..train.fit.loop import Stopped  # noqa: PLC0415
    from ..train.run import train as run  # noqa: PLC0415

    recipe = recipe or ("own" if own_folder(data) else "shipped")
    wanted = named_recipe(recipe, {key: value for key, value in given.items() if value is not None})
    try:
        artefact = run(wanted, data, out, name, device, resume, tensorboard)
    except Stopped:
        warn(f"stopped before there was a network; --out {out} --resume goes on from here")
        raise typer.Exit(1) from None
    if artefact:
        say(f"{artefact} is ready: inkdigit predict --model {artefact} FILE")


app.command()(with_recipe_flags(train))


@app.command()
def drift(
    sources: Annotated[list[str], typer.Argument(metavar="METRICS", help="Addresses of /metrics, or files of it.")],
    model: ModelOption = DEFAULT_MODEL,
    before: Annotated[
        list[str] | None, typer.Option("--since", help="What /metrics gave earlier: only what came after it counts.")
    ] = None,
) -> None:
    """Compare what services answered with the model's answers on validation; exit code 1 where the two have parted."""
    from ..evaluation.drift import compare, read_metrics, served, since  # noqa: PLC0415
    from ..model_file import model_path, open_artefact  # noqa: PLC0415

    _, contract = open_artefact(model_path(model))
    counted = served([read_metrics(source) for source in sources], contract)
    if before:
        counted = since(counted, served([read_metrics(source) for source in before], contract))
    distances = compare(contract, counted)
    for distance in distances:
        say(distance.sentence())
    raise typer.Exit(int(any(distance.parted for distance in distances)))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    to: Annotated[Path | None, typer.Option(help="The file to write.  [default: in the run's folder]")] = None,
    data: DataOption = None,
    form: Annotated[
        Literal["onnx", "torch-export"], typer.Option("--format", help="The artefact, or a .pt2 for PyTorch users.")
    ] = "onnx",
    int8: Annotated[bool, typer.Option("--int8", help="The artefact with the network's layers in int8.")] = False,
) -> None:
    """Export a training run's weights as an artefact that has proved itself."""
    _need("torch", "Exporting", "train")
    if int8 and form != "onnx":
        raise typer.BadParameter("--int8 is for the format onnx")
    from ..train.export.run_export import export_run, export_run_program  # noqa: PLC0415

    if int8:
        from ..train.export.quantize import export_int8 as write  # noqa: PLC0415
    else:
        write = export_run if form == "onnx" else export_run_program
    say(f"{write(run, to, data)} is ready")


def _need(module: str, what: str, extra: str) -> None:
    if find_spec(module) is None:
        fail(f"{what} needs the extra: pip install 'inkdigit[{extra}]'.")
