"""Fit the number reader: its targets, its losses, and its training loop over scenes that are drawn while it runs."""

import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import TextColumn
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from ...errors import DataError
from ...terminal import training_progress
from ..model.detector import CELL, OTHER, CropClassifier, Detector, boxes_at, crops_of, normalise
from ..synth.scene import (
    HEIGHT,
    LARGEST,
    SMALLEST,
    WIDTH,
    Scene,
    Sources,
    draw_scene,
    photograph,
    pictures_of_anything,
)
from ..training_log import note
from ..weights import save_tensors
from .loop import Stopped, below, interruptible

TOLERATED = 1.3  # times: symbols so little outside the heights that a level finds are neither wanted nor refused
WANTED = 1.1  # times: symbols so little outside them are wanted
PEAK = 0.18  # of a symbol's side: the deviation of its peak of objectness
NARROWEST = 0.55  # cells: the least deviation of a peak
OWNED = 0.45  # of a peak: the cells that learn a symbol's class and box
ANYTHING = 0.3  # of the scenes without a symbol, the share whose picture is of something other than writing
POOL = 256  # scenes that may be photographed again
TIMES = 2  # that a scene is photographed, on average
CROPS = 8  # a scene, on average, for the crop classifier
EDGE = 16  # px of empty plane around a scene, as around every level of the pyramid
KEPT = 0.9993  # of the averaged weights, by a step
WARM_UP = 300  # steps over which the rate rises
EPOCH = 500  # steps between two checkpoints
CHECKPOINT = "numbers.checkpoint.safetensors"

Weights = tuple[Tensor, ...] | list[Tensor]


class Networks(nn.Module):
    """Both networks of the number reader."""

    def __init__(self) -> None:
        super().__init__()
        self.detector, self.classifier = Detector(), CropClassifier()


@dataclass(frozen=True, eq=False)
class Batch:
    """Scenes, uint8 [N, H, W], where each is a picture, bool [N, H, W], and their targets.

    `peaks` is the objectness wanted of each cell and `weight` what it counts, float [N, h, w]; `owner` is the symbol
    that a cell belongs to, or -1. Symbols have `boxes` [S, 4] in px, `classes` [S] and the number of their `scene` [S].
    """

    pixels: Tensor
    inside: Tensor
    peaks: Tensor
    weight: Tensor
    owner: Tensor
    boxes: Tensor
    classes: Tensor
    scene: Tensor


class Targets:
    """The targets of a batch while they are made."""

    def __init__(self, count: int) -> None:
        shape = (count, HEIGHT // CELL[1], WIDTH // CELL[0])
        self.peaks, self.weight = np.zeros(shape, np.float32), np.ones(shape, np.float32)
        self.owner = np.full(shape, -1, np.int64)
        self.y, self.x = np.mgrid[: shape[1], : shape[2]] + 0.5
        self.boxes: list[NDArray[np.float32]] = []
        self.classes: list[int] = []
        self.scenes: list[int] = []

    def add(self, scene: int, box: NDArray[np.float32], kind: int, height: float) -> None:
        """Add a symbol of a scene, by the height of its hand's digits."""
        if SMALLEST / WANTED <= height <= LARGEST * WANTED:
            self._want(scene, box, kind)
        elif SMALLEST / TOLERATED <= height <= LARGEST * TOLERATED:
            left, top, right, bottom = (box / (CELL * 2)).astype(int)
            self.weight[scene, max(0, top) : bottom + 1, max(0, left) : right + 1] = 0

    def _want(self, scene: int, box: NDArray[np.float32], kind: int) -> None:
        left, top, right, bottom = box / (CELL * 2)
        deviation = np.maximum(NARROWEST, PEAK * np.array([right - left, bottom - top]))
        away = ((self.x - (left + right) / 2) / deviation[0]) ** 2 + ((self.y - (top + bottom) / 2) / deviation[1]) ** 2
        near = np.exp(-away / 2).astype(np.float32)
        near[np.unravel_index(near.argmax(), near.shape)] = 1
        self.owner[scene][(near > OWNED) & (near > self.peaks[scene])] = len(self.boxes)
        self.peaks[scene] = np.maximum(self.peaks[scene], near)
        self.boxes.append(box)
        self.classes.append(kind)
        self.scenes.append(scene)

    def tensors(self) -> tuple[Tensor, ...]:
        """Return the targets in the order of `Batch`'s fields."""
        boxes = np.array(self.boxes, np.float32).reshape(-1, 4)
        symbols = boxes, np.array(self.classes, np.int64), np.array(self.scenes, np.int64)
        return tuple(torch.as_tensor(part) for part in (self.peaks, self.weight, self.owner, *symbols))


def batch_of(scenes: list[Scene]) -> Batch:
    """Photograph scenes and make their targets."""
    written, printed = (
        torch.as_tensor(np.stack([getattr(scene, layer) for scene in scenes])).float() / 255
        for layer in ("written", "printed")
    )
    targets = Targets(len(scenes))
    for number, scene in enumerate(scenes):
        for box, kind, height in zip(scene.boxes, scene.classes, scene.heights, strict=True):
            targets.add(number, box, int(kind), float(height))
    shown = photograph(written, printed)
    is_free = [not len(scene.boxes) and bool(torch.rand(()) < ANYTHING) for scene in scenes]
    shown[is_free] = pictures_of_anything(sum(is_free))
    inside = torch.zeros(shown.shape, dtype=torch.bool)
    for number, scene in enumerate(scenes):
        left, top, right, bottom = scene.part
        inside[number, top:bottom, left:right] = True
    return Batch((shown * 255).round().to(torch.uint8), inside, *targets.tensors())


def draw_batches(queue: "multiprocessing.Queue[tuple[Tensor, ...]]", sources: Sources, seed: int, size: int) -> None:
    """Draw batches and put them into the queue, until the parent process is gone."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    parent = multiprocessing.parent_process()
    scenes = fresh_scenes(sources, random)
    batch = None
    while parent is None or parent.is_alive():
        batch = batch or tuple(vars(batch_of(list(islice(scenes, size)))).values())
        try:
            queue.put(batch, timeout=5)
            batch = None
        except Full:
            continue


def fresh_scenes(sources: Sources, random: np.random.Generator) -> Iterator[Scene]:
    """Draw scenes without end, each `TIMES` on average: to photograph one again costs less than to draw another.

    After data echoing (Choi et al. 2019).
    """
    pool: list[Scene] = []
    while True:
        if len(pool) < POOL:
            pool.append(draw_scene(sources, random))
            yield pool[-1]
            continue
        place = int(random.integers(POOL))
        if random.random() < 1 / TIMES:
            pool[place] = draw_scene(sources, random)
        yield pool[place]


def focal_loss(logits: Tensor, peaks: Tensor, weight: Tensor) -> Tensor:
    """Return the focal loss of peaks (Zhou, Wang, Krähenbühl 2019, equation 1), per symbol."""
    found = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    wanted = (peaks == 1).float()
    right = wanted * (1 - found).square() * found.log()
    wrong = (1 - wanted) * (1 - peaks) ** 4 * found.square() * (1 - found).log()
    return -((right + wrong) * weight).sum() / wanted.sum().clamp(min=1)


def overlap(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the intersection over union of boxes [S, 4], pair by pair."""
    low, high = torch.maximum(found[:, :2], wanted[:, :2]), torch.minimum(found[:, 2:], wanted[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (found, wanted)]
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-3)


def batch_loss(networks: Networks, batch: Batch, half: bool) -> Tensor:
    """Return the loss of both networks on a batch; `half` computes them in bfloat16."""
    brightness = batch.pixels[:, None].float() / 255
    plane = normalise(brightness, batch.inside[:, None].float())
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        found = networks.detector(plane.contiguous(memory_format=torch.channels_last))
    objectness, logits, distances = (each.float() for each in found)
    loss = focal_loss(objectness, batch.peaks, batch.weight) + symbol_loss(batch, logits, distances)
    boxes, classes, scene = crop_targets(batch, objectness.detach(), distances.detach())
    crops = crops_of(functional.pad(plane, (EDGE,) * 4), boxes + EDGE, scene)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        guess = networks.classifier(crops.contiguous(memory_format=torch.channels_last)).float()
    return loss + functional.cross_entropy(guess, classes, label_smoothing=0.02)


def symbol_loss(batch: Batch, logits: Tensor, distances: Tensor) -> Tensor:
    """Return the loss of classes and boxes at the cells that belong to a symbol, weighted by their peaks."""
    scene, y, x = (batch.owner >= 0).nonzero(as_tuple=True)
    if not len(scene):
        return logits.sum() * 0
    mine = batch.owner[scene, y, x]
    share = batch.peaks[scene, y, x]
    share = share / share.sum()
    classes = functional.cross_entropy(logits[scene, :, y, x], batch.classes[mine], reduction="none")
    found, wanted = boxes_at(distances[scene, :, y, x], x, y), batch.boxes[mine]
    sides = (wanted[:, 2:] - wanted[:, :2]).repeat(1, 2).clamp(min=4)
    away = ((found - wanted) / sides).abs().clamp(max=3).sum(1)
    return ((classes + 1 - overlap(found, wanted) + away) * share).sum()


def crop_targets(batch: Batch, objectness: Tensor, distances: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Choose what the crop classifier learns: boxes near symbols, and what the detector takes for symbols by mistake.

    Returns boxes [K, 4] in px, classes [K] and scenes [K].
    """
    count = len(batch.pixels) * CROPS
    chosen = torch.randperm(len(batch.classes))[: count * 3 // 4]
    boxes = batch.boxes[chosen]
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=4).repeat(1, 2)
    boxes = boxes + torch.randn(len(chosen), 4) * 0.07 * sides
    level = torch.where(batch.peaks > 0.3, -9.0, objectness) + torch.where(batch.weight > 0, 0.0, -9.0)
    best, place = level.flatten().topk(count // 4)
    place = place[best > -3.5]
    cells, columns = objectness[0].numel(), objectness.shape[2]
    scene, cell = place // cells, place % cells
    wrong = boxes_at(distances.permute(0, 2, 3, 1).reshape(-1, 4)[place], cell % columns, cell // columns)
    classes = torch.cat([batch.classes[chosen], torch.full((len(place),), OTHER)])
    return torch.cat([boxes, wrong]), classes, torch.cat([batch.scene[chosen], scene])


class NumberLoop:
    """The state of the number reader's training: networks, their average, optimiser and step."""

    def __init__(self, steps: int, rate: float, seed: int) -> None:
        torch.manual_seed(seed)
        self.steps, self.rate, self.step = steps, rate, 0
        self.networks = Networks()
        self.networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(self.networks, multi_avg_fn=moving_average, use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.networks.parameters(), rate, weight_decay=0.02, fused=True)

    def update(self, batch: Batch, half: bool) -> float:
        """Take one step down, at a rate that rises and then falls as a cosine; return the loss."""
        rate = self.rate * min(1, (self.step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = batch_loss(self.networks, batch, half)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 5.0)
        self.optimiser.step()
        self.average.update_parameters(self.networks)
        self.step += 1
        return loss.item()

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on, except the scenes, which the step's seed draws."""
        tensors = {f"networks.{key}": value for key, value in self.networks.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        state: dict[str, Any] = self.optimiser.state_dict()
        for number, values in state["state"].items():
            tensors |= {f"optimiser.{number}.{key}": value for key, value in values.items()}
        notes = {"step": self.step, "steps": self.steps, "groups": state["param_groups"]}
        save_tensors(tensors, path, {"loop": json.dumps(notes)})

    def restore(self, path: Path) -> None:
        """Go back to what `save` wrote. Raises DataError if the file does not fit."""
        try:
            with safe_open(path, "pt") as file:
                notes = json.loads(file.metadata()["loop"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  no mapping
            if notes["steps"] != self.steps:
                raise ValueError(f"it was started with {notes['steps']} steps, not {self.steps}")
            self.networks.load_state_dict(below(tensors, "networks."))
            self.average.load_state_dict(below(tensors, "average."))
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in below(tensors, "optimiser.").items():
                number, name = key.split(".", 1)
                state.setdefault(int(number), {})[name] = value
            self.optimiser.load_state_dict({"state": state, "param_groups": notes["groups"]})
            self.step = notes["step"]
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise DataError(f"{path} is no checkpoint of this run: {error}") from error


def fit_numbers(
    loop: NumberLoop,
    sources: Sources,
    size: int,
    seed: int,
    half: bool,
    out: Path,
    report: Callable[[], dict[str, float]],
) -> Networks:
    """Train on scenes in batches of `size` to the loop's last step, and return the averaged networks.

    A checkpoint and a line of metrics, with what `report` returns, are written to `out` after every `EPOCH` steps.
    Raises Stopped on Ctrl-C, after a checkpoint.
    """
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))  # one core draws scenes
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(12)
    # A stage that resumes draws other scenes than the one before it.
    arguments = (queue, sources, seed + 7919 * (loop.step + 1), size)
    worker = context.Process(target=draw_batches, args=arguments, daemon=True)
    worker.start()
    begun, losses = time.monotonic(), list[float]()
    try:
        with training_progress(TextColumn("{task.fields[note]}")) as progress, interruptible() as interrupted:
            task = progress.add_task("number reader", total=loop.steps, completed=loop.step, note="")
            while loop.step < loop.steps and not interrupted.is_set():
                losses.append(loop.update(Batch(*queue.get()), half))
                progress.update(task, completed=loop.step, note=f"loss {np.mean(losses):.3f}")
                if loop.step % EPOCH and loop.step < loop.steps:
                    continue
                figures = {"loss": float(np.mean(losses)), **report(), "seconds": round(time.monotonic() - begun, 1)}
                note(out, "numbers", loop.step, figures)
                progress.console.print(f"step {loop.step}: " + "  ".join(f"{k} {v:.4g}" for k, v in figures.items()))
                loop.save(out / CHECKPOINT)
                losses.clear()
    finally:
        worker.terminate()
        worker.join()
    loop.save(out / CHECKPOINT)
    if loop.step < loop.steps:
        raise Stopped
    networks = loop.average.module.eval()
    assert isinstance(networks, Networks)  # noqa: S101  narrows the type
    return networks


@torch.no_grad()
def moving_average(averaged: Weights, current: Weights, count: Tensor | int) -> None:
    """Move averaged weights towards the current ones, quickly at first; integers are copied."""
    keep = min(KEPT, (1 + int(count)) / (10 + int(count)))
    for mean, value in zip(averaged, current, strict=True):
        mean.lerp_(value, 1 - keep) if mean.is_floating_point() else mean.copy_(value)
