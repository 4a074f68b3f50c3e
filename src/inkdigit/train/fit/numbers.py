"""Fit the number reader: its targets, its losses and its training loop over scenes that are drawn while it runs."""

import math
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Full

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..model.detector import OTHER, STRIDE, CropClassifier, Detector, boxes_at, crops_of, normalise
from ..synth.scene import HEIGHT, LARGEST, SMALLEST, WIDTH, Scene, Sources, draw_scene, photograph

TOLERATED = 1.3  # times: symbols so little outside the heights that a level finds are neither wanted nor refused
PEAK = 0.18  # of a symbol's side: the deviation of its peak of objectness
CROPS = 8  # a scene, on average, for the crop classifier
EDGE = 16  # px of empty plane around a scene, as around every level of the pyramid
KEPT = 0.9993  # of the averaged weights, by a step


@dataclass(frozen=True, eq=False)
class Batch:
    """Hold scenes, uint8 [N, H, W], their objectness [N, h, w] and weight, and their symbols: cell, class and box."""

    pixels: Tensor
    peaks: Tensor
    weight: Tensor
    owner: Tensor  # [N, h, w]: the symbol that a cell belongs to, -1 for none
    boxes: Tensor  # [S, 4] in px
    classes: Tensor  # [S]
    scene: Tensor  # [S]


def batch_of(scenes: list[Scene]) -> Batch:
    """Photograph scenes and make their targets."""
    written, printed = (
        torch.as_tensor(np.stack([getattr(scene, layer) for scene in scenes])).float() / 255
        for layer in ("written", "printed")
    )
    pixels = (photograph(written, printed) * 255).round().to(torch.uint8)
    height, width = HEIGHT // STRIDE, WIDTH // STRIDE
    peaks = np.zeros((len(scenes), height, width), np.float32)
    weight = np.ones_like(peaks)
    owner = np.full(peaks.shape, -1, np.int64)
    boxes: list[np.ndarray] = []
    classes: list[int] = []
    places: list[int] = []
    y, x = np.mgrid[:height, :width] + 0.5
    for number, scene in enumerate(scenes):
        for box, kind, tall in zip(scene.boxes, scene.classes, scene.heights, strict=True):
            left, top, right, bottom = box / STRIDE
            if not SMALLEST / TOLERATED <= tall <= LARGEST * TOLERATED:
                continue
            if not SMALLEST / 1.1 <= tall <= LARGEST * 1.1:
                weight[number, max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1] = 0
                continue
            deviation = np.maximum(0.55, PEAK * np.array([right - left, bottom - top]))
            away = ((x - (left + right) / 2) / deviation[0]) ** 2 + ((y - (top + bottom) / 2) / deviation[1]) ** 2
            near = np.exp(-away / 2).astype(np.float32)
            near[np.unravel_index(near.argmax(), near.shape)] = 1
            mine = (near > 0.45) & (near > peaks[number])
            owner[number][mine] = len(boxes)
            peaks[number] = np.maximum(peaks[number], near)
            boxes.append(box)
            classes.append(int(kind))
            places.append(number)
    stacked = np.array(boxes, np.float32).reshape(-1, 4)
    parts = (peaks, weight, owner, stacked, np.array(classes, np.int64), np.array(places, np.int64))
    return Batch(pixels, *(torch.as_tensor(part) for part in parts))


def draw_batches(queue: "multiprocessing.Queue[Batch]", sources: Sources, seed: int, size: int) -> None:
    """Draw batches and put them into the queue, without end."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    while True:
        batch = batch_of([draw_scene(sources, random) for _ in range(size)])
        while True:
            try:
                queue.put(tuple(vars(batch).values()), timeout=5)
                break
            except Full:
                if multiprocessing.parent_process() is None or not multiprocessing.parent_process().is_alive():
                    return


def focal(logits: Tensor, peaks: Tensor, weight: Tensor) -> Tensor:
    """Return the focal loss of peaks (Zhou, Wang, Krähenbühl 2019, equation 1), per symbol."""
    found = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    wanted = (peaks == 1).float()
    right = wanted * (1 - found).square() * found.log()
    wrong = (1 - wanted) * (1 - peaks) ** 4 * found.square() * (1 - found).log()
    return -((right + wrong) * weight).sum() / wanted.sum().clamp(min=1)


def overlap(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the intersection over union of boxes [S, 4], pair by pair."""
    shared = (
        (torch.minimum(found[:, 2:], wanted[:, 2:]) - torch.maximum(found[:, :2], wanted[:, :2])).clamp(min=0).prod(1)
    )
    area = lambda box: (box[:, 2:] - box[:, :2]).prod(1)  # noqa: E731
    return shared / (area(found) + area(wanted) - shared).clamp(min=1e-3)


def losses(detector: nn.Module, classifier: nn.Module, batch: Batch, half: bool) -> Tensor:
    """Return the loss of the detector and of the crop classifier on a batch."""
    brightness = batch.pixels[:, None].float() / 255
    plane = normalise(brightness, torch.ones_like(brightness))
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        objectness, logits, distances = (
            each.float() for each in detector(plane.contiguous(memory_format=torch.channels_last))
        )
    loss = focal(objectness, batch.peaks, batch.weight)
    scene, y, x = (batch.owner >= 0).nonzero(as_tuple=True)
    if len(scene):
        mine = batch.owner[scene, y, x]
        share = batch.peaks[scene, y, x]
        share = share / share.sum()
        loss = (
            loss
            + (functional.cross_entropy(logits[scene, :, y, x], batch.classes[mine], reduction="none") * share).sum()
        )
        found = boxes_at(distances[scene, :, y, x], x, y)
        wanted = batch.boxes[mine]
        sides = torch.cat([wanted[:, 2:] - wanted[:, :2]] * 2, 1).clamp(min=4)
        away = ((found - wanted) / sides).abs().clamp(max=3).sum(1)
        loss = loss + ((1 - overlap(found, wanted) + away) * share).sum()
    boxes, classes, where = crop_targets(batch, objectness.detach(), distances.detach())
    padded = functional.pad(plane, (EDGE,) * 4)
    crops = crops_of(padded, boxes + EDGE, where)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        guess = classifier(crops.contiguous(memory_format=torch.channels_last)).float()
    return loss + functional.cross_entropy(guess, classes, label_smoothing=0.02)


def crop_targets(batch: Batch, objectness: Tensor, distances: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Choose what the crop classifier learns: boxes near symbols, and what the detector takes for symbols by mistake."""
    count = len(batch.pixels) * CROPS
    chosen = torch.randperm(len(batch.classes))[: count * 3 // 4]
    boxes, where = batch.boxes[chosen], batch.scene[chosen]
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=4).repeat(1, 2)
    boxes = boxes + torch.randn(len(chosen), 4) * 0.07 * sides
    level = torch.where(batch.peaks > 0.3, -9.0, objectness) + torch.where(batch.weight > 0, 0.0, -9.0)
    best, place = level.flatten().topk(count // 4)
    place = place[best > -3.5]
    cells = objectness[0].numel()
    scene, cell = place // cells, place % cells
    columns = objectness.shape[2]
    x, y = cell % columns, cell // columns
    wrong = boxes_at(distances.permute(0, 2, 3, 1).reshape(-1, 4)[place], x, y)
    classes = torch.cat([batch.classes[chosen], torch.full((len(place),), OTHER)])
    return torch.cat([boxes, wrong]), classes, torch.cat([where, scene])


def fit_numbers(
    sources: Sources,
    out: Path,
    steps: int,
    size: int,
    rate: float,
    seed: int,
    half: bool,
    report: Callable[[int, Detector, CropClassifier], None],
    every: int = 500,
) -> tuple[Detector, CropClassifier]:
    """Train for `steps` batches of `size` scenes, from the checkpoint in `out` on where there is one.

    `report` is called with the averaged networks after `every` so many steps.
    """
    torch.manual_seed(seed)
    both = nn.ModuleList([Detector(), CropClassifier()]).to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(both, multi_avg_fn=moving_average, use_buffers=True)
    optimiser = torch.optim.AdamW(both.parameters(), rate, weight_decay=0.02, fused=True)
    checkpoint = out / "numbers.checkpoint.pt"
    start = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        both.load_state_dict(state["both"]), average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(12)
    worker = context.Process(target=draw_batches, args=(queue, sources, seed + 7919 * (start + 1), size), daemon=True)
    worker.start()
    begun, shown, waited = time.monotonic(), 0.0, 0.0
    for step in range(start, steps):
        share = step / steps
        now = rate * min(1, (step + 1) / 300) * 0.5 * (1 + math.cos(math.pi * share))
        for group in optimiser.param_groups:
            group["lr"] = now
        asked = time.monotonic()
        batch = Batch(*queue.get())
        waited += time.monotonic() - asked
        loss = losses(both[0], both[1], batch, half)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(both.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(both)
        shown = 0.98 * shown + 0.02 * loss.item()
        if (step + 1) % every == 0 or step + 1 == steps:
            print(
                f"step {step + 1}/{steps} loss {shown / (1 - 0.98 ** (step + 1 - start)):.4f} rate {now:.2e} {(step + 1 - start) * size / (time.monotonic() - begun):.0f} scenes/s, waited {waited:.0f} s",
                flush=True,
            )
            draft = checkpoint.with_suffix(".tmp")
            torch.save(
                {
                    "both": both.state_dict(),
                    "average": average.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "step": step + 1,
                },
                draft,
            )
            draft.replace(checkpoint)
            report(step + 1, average.module[0], average.module[1])
    worker.terminate()
    worker.join()
    return average.module[0].eval(), average.module[1].eval()


@torch.no_grad()
def moving_average(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
    """Move averaged weights towards the current ones, quickly at first; integers are copied."""
    keep = min(KEPT, (1 + int(count)) / (10 + int(count)))
    for mean, value in zip(averaged, current, strict=True):
        mean.lerp_(value, 1 - keep) if mean.is_floating_point() else mean.copy_(value)
