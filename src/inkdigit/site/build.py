"""Write the static site: the page of `server/web/`, the models, and onnxruntime-web in place of the service.

Everything but index.html, the service worker and the few files that they name is in a folder whose name is the hash of
its content. So a browser never mixes two builds.
"""

import base64
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import onnxruntime

from ..errors import ArtefactError, DataError
from ..files import atomic_path, check_writable, writing
from ..model_file import (
    DEFAULT_MODEL,
    DEFAULT_READER,
    DIGIT,
    NUMBER,
    SUFFIX,
    Contract,
    model_path,
    open_artefact,
    split_name,
)
from .runtime import BINARY, SCRIPT

Files = dict[str, bytes]  # by their addresses

PAGE = Path(__file__).parents[1] / "server" / "web"
OURS = Path(__file__).parent / "web"
WEB = "web-"  # how the folder of a build begins
PACKED = ".packed"  # compressed by gzip; no web server knows the ending and sets `Content-Encoding`
WORKER = "sw.js"
TOP = ("manifest.webmanifest", "icon-192.png", "icon-512.png")  # beside index.html, with `WORKER`
LICENCES = ("LICENSE", "ThirdPartyNotices.txt")  # of ONNX Runtime, in its Python package
CONTRACT_KEYS = ("name", "version", "labels", "thresholds", "calibration")  # that an answer depends on

CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'"
)
CHARSET = '<meta charset="utf-8">\n'
STYLE = '<link rel="stylesheet" href="web/style.css">\n'
HEAD = f"""{STYLE}<link rel="stylesheet" href="web/site.css">
<link rel="manifest" href="manifest.webmanifest">
<link rel="apple-touch-icon" href="icon-192.png">
"""
PRIVACY = (
    "<p>Pictures never leave this device: it reads them itself, without a network too. "
    '<a href="licences/LICENSE">Licence of ONNX Runtime</a></p>'
)
KEPT = re.compile(r'<p class="kept">.*?</p>')  # what the page says of corrections, where it takes them
KEPT_HERE = (
    '<p class="kept">A click, or the key, keeps this picture and what you say is right in this tab, until you download '
    'them as a zip: its folder “digits” trains a model.<span id="days" hidden></span></p>'
)
# What the page says about the service, and what it says here.
WORDS = {
    CHARSET: f'{CHARSET}<meta http-equiv="Content-Security-Policy" content="{CSP}">\n',
    STYLE: HEAD,
    '<p><a href="docs">HTTP API</a></p>': PRIVACY,
    "The picture, as it is sent": "The picture, as it is read",
    "The page needs JavaScript to draw. The HTTP API does not.": "The page needs JavaScript.",
}


def build_site(out: Path, runtime: Path, models: Sequence[str] = ()) -> None:
    """Write the site to a folder, which must be empty or hold an earlier site; other files in it stay.

    `runtime` is the folder of onnxruntime-web's files. `models` are names or paths, the default first; a task without
    one gets the shipped model. Raises ArtefactError on a faulty model, and DataError if the folder cannot be used.
    """
    check_writable(out)
    if out.exists() and any(out.iterdir()) and not (out / WORKER).is_file():
        raise DataError(f"{out} is not empty, and holds no earlier site.")
    opened = _opened(models)
    files = _runtime_files(runtime) | _model_files(opened) | _folder(PAGE) | _folder(OURS)
    files["contracts.js"] = _contracts([contract for _, contract in opened], files)
    page, worker = files.pop("index.html").decode(), files.pop(WORKER).decode()
    top = {name: files.pop(name) for name in TOP}
    build = hashlib.sha256(repr([(name, _hash(files[name])) for name in sorted(files)]).encode()).hexdigest()[:12]
    web = f"{WEB}{build}/"
    site = {f"{web}{name}": data for name, data in files.items()} | _licences() | top
    site["index.html"] = _page(page, web).encode()
    site[WORKER] = _service_worker(worker, build, site).encode()
    _write(out, site)
    _remove_earlier(out, web.rstrip("/"))


def _folder(folder: Path) -> Files:
    """Return all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _licences() -> Files:
    return {f"licences/{name}": (Path(onnxruntime.__file__).parent / name).read_bytes() for name in LICENCES}


def _runtime_files(folder: Path) -> Files:
    script, binary = ((folder / name).read_bytes() for name in (SCRIPT, BINARY))
    return {f"runtime/{SCRIPT}": script, f"runtime/{BINARY}{PACKED}": _packed(binary)}


def _file(contract: Contract) -> str:
    return f"models/{contract.name}{SUFFIX}{PACKED}"


def _opened(models: Sequence[str]) -> list[tuple[Path, Contract]]:
    """Return the paths and contracts of the models, and of the shipped one for a task without any."""
    opened = [_open(model) for model in models]
    for task, shipped in ((DIGIT, DEFAULT_MODEL), (NUMBER, DEFAULT_READER)):
        if all(contract.task != task for _, contract in opened):
            opened.append(_open(shipped))
    names = [contract.name for _, contract in opened]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ArtefactError(f"Two of the models have the name {repeated}.")
    return opened


def _open(model: str) -> tuple[Path, Contract]:
    name, model_file = split_name(model)
    path = model_path(model_file)
    _, contract = open_artefact(path)
    return path, replace(contract, name=name or contract.name)


def _model_files(opened: Sequence[tuple[Path, Contract]]) -> Files:
    return {_file(contract): _packed(path.read_bytes()) for path, contract in opened}


def _contracts(contracts: Sequence[Contract], files: Mapping[str, bytes]) -> bytes:
    """Return the module that says what is loaded: the models with their contracts, and the runtime."""

    def entry(name: str) -> dict[str, object]:
        return {"file": name, "bytes": len(files[name])}

    by_task: dict[str, list[dict[str, object]]] = {DIGIT: [], NUMBER: []}
    for contract in contracts:
        values = asdict(contract)
        by_task[contract.task].append({key: values[key] for key in CONTRACT_KEYS} | entry(_file(contract)))
    constants = {
        "DIGIT_MODELS": by_task[DIGIT],
        "NUMBER_MODEL": by_task[NUMBER][0],
        "RUNTIME": entry(f"runtime/{BINARY}{PACKED}"),
    }
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in constants.items()).encode()


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _hash(data: bytes) -> str:
    """Return a hash as browsers check it (W3C, Subresource Integrity)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def _page(page: str, web: str) -> str:
    """Return index.html for the folder `web` of a build."""
    for words, ours in WORDS.items():
        if page.count(words) != 1:
            raise AssertionError(f"The page does not have once: {words}")
        page = page.replace(words, ours)
    return KEPT.sub(KEPT_HERE, page).replace('"web/', f'"{web}')


def _service_worker(script: str, build: str, site: Mapping[str, bytes]) -> str:
    """Return the service worker with the build's name, and the hashes of what it keeps: all but the licences."""
    kept = {name.replace("index.html", "./"): data for name, data in site.items() if not name.startswith("licences/")}
    hashes = [[name, _hash(data)] for name, data in kept.items()]
    return script.replace('"@BUILD@"', json.dumps(build)).replace('"@FILES@"', json.dumps(hashes))


def _write(out: Path, site: Mapping[str, bytes]) -> None:
    """Write the files in their order: index.html and the service worker come last, when what they name is there."""
    for name, data in site.items():
        with atomic_path(out / name) as draft:
            draft.write_bytes(data)


def _remove_earlier(out: Path, web: str) -> None:
    """Remove the folders of earlier builds."""
    with writing(out):
        for folder in out.glob(f"{WEB}*/"):
            if folder.name != web:
                shutil.rmtree(folder)
