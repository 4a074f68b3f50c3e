"""The number reader as one module: a picture to the boxes and class probabilities of its symbols.

A fully convolutional, anchor-free detector (after CenterNet: Zhou, Wang, Krähenbühl 2019; boxes as in FCOS: Tian et al.
2019) finds symbols of `scene.SMALLEST` to `LARGEST` px. All levels of an image pyramid lie in one plane, so one pass
finds symbols of every size. What is found is cropped and classified a second time from a closer view.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .classifiers import Residual, convolution

CLASSES = 15  # ten digits, `.`, `,`, `-`, `/`, other
OTHER = CLASSES - 1
CELL = (2, 4)  # px, width and height of a cell of the detector's output: neighbouring 1s stand close
LEVELS = 7  # of the pyramid, each half as large as the one before
STEP = 1 << (LEVELS - 1)  # px: sides of the padded picture are multiples of it
ENLARGED = 100_000  # px: a picture of no larger area is enlarged twofold first
MOST = 1024  # candidates that are kept
FOUND = 0.08  # objectness under which nothing is a candidate
MARK = 0.35  # objectness from which a candidate that is no symbol counts as a written mark
DOT = 0.15  # of the other's area: a box that is no larger is a dot beside it, not a part of it
PART = 0.6  # of the other's height: a box that is no higher may be a part of it, such as the ring of a 9
ROUNDS = 6  # of suppression
MARGIN = 16  # px below a picture in the plane of all levels
CROP = 32  # cells of a crop's side
WINDOW = 5  # blocks of 8×8 px over which brightness is normalised
FLAT = 0.02  # standard deviation of brightness (0..1) that is not enlarged
OVERLAP = 0.5  # of the union of two boxes: the less certain one is suppressed
COVERED = 0.7  # of a lower box, which may be a part of the other: likewise
CONTAINED = 0.85  # of a box that is as high, such as the stem of a 1 with a long upstroke: likewise


def block(channels: int) -> Residual:
    """Build a residual block of two 3×3 convolutions."""
    first, (second, norm, _) = convolution(channels, channels), convolution(channels, channels)
    return Residual(first, second, norm)


class Detector(nn.Module):
    """Turn a normalised plane [N, 1, H, W] into objectness, class logits and boxes, one for each cell of 2×4 px."""

    def __init__(self, fine: int = 32, middle: int = 64, coarse: int = 80) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(1, 16, 4, stride=2), convolution(16, fine, 4, stride=2), block(fine))
        self.middle = nn.Sequential(convolution(fine, middle, 4, stride=2), block(middle), block(middle))
        self.coarse = nn.Sequential(convolution(middle, coarse, 4, stride=2), block(coarse), block(coarse))
        self.to_middle = nn.Conv2d(coarse, middle, 1)
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.join = block(middle)
        out = nn.Conv2d(middle, 2 * (1 + CLASSES + 4), 1)  # for the left and the right half of 4×4 px
        nn.init.constant_(cast(Tensor, out.bias)[:2], -4.0)  # hardly any cell has a symbol
        self.head = nn.Sequential(convolution(fine, middle), out)

    def forward(self, plane: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of objectness [N, h, w] and classes [N, C, h, w], and log distances to sides [N, 4, h, w]."""
        fine = self.stem(plane)
        middle = self.middle(fine)
        middle = self.join(middle + doubled(self.to_middle(self.coarse(middle))))
        halves: Tensor = self.head(fine + doubled(self.to_fine(middle)))
        out = halves.unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2).flatten(3)
        return out[:, 0], out[:, 1 : 1 + CLASSES], out[:, 1 + CLASSES :]


class CropClassifier(nn.Module):
    """Turn crops [K, 1, 32, 32] of a normalised plane into class logits [K, C]."""

    def __init__(self, fine: int = 32, coarse: int = 80) -> None:
        super().__init__()
        self.features = nn.Sequential(
            convolution(1, fine, 4, stride=2), block(fine), convolution(fine, coarse, 4, stride=2), block(coarse),
            nn.AvgPool2d(2), nn.Flatten(), nn.Linear(coarse * 16, 96), nn.ReLU(),
        )  # fmt: skip
        self.classify = nn.Linear(96, CLASSES)

    def forward(self, crops: Tensor) -> Tensor:
        """Classify crops."""
        logits: Tensor = self.classify(self.features(crops))
        return logits


def doubled(values: Tensor) -> Tensor:
    """Repeat every cell of [N, C, H, W] twice along both sides."""
    return functional.interpolate(values, scale_factor=2.0, mode="nearest")


def normalise(plane: Tensor, inside: Tensor) -> Tensor:
    """Normalise brightness [N, 1, H, W] in 0..1 by the mean and deviation around each px; 0 where it is not `inside`.

    Sides are multiples of 8. Means are taken over blocks of 8×8 px, so that they cost little.
    """
    weight = smooth(inside)
    mean = smooth(plane * inside) / weight.clamp(min=1e-3)
    square = smooth(plane * plane * inside) / weight.clamp(min=1e-3)
    gain = 1 / ((square - mean * mean).clamp(min=0) + FLAT * FLAT).sqrt()
    mean, gain = (spread(value) for value in (mean, gain))
    return (plane - mean) * gain * inside * 0.5


def smooth(values: Tensor) -> Tensor:
    """Average [N, 1, H, W] over blocks of 8×8 px and the blocks around them: [N, 1, H/8, W/8]."""
    return functional.avg_pool2d(functional.avg_pool2d(values, 8), WINDOW, 1, WINDOW // 2)


def spread(values: Tensor) -> Tensor:
    """Enlarge [N, 1, H, W] eightfold, smoothly."""
    return functional.interpolate(values, scale_factor=8.0, mode="bilinear")


def crops_of(plane: Tensor, boxes: Tensor, picture: Tensor) -> Tensor:
    """Crop squares around boxes [K, 4], in px of `plane` [N, 1, H, W], of its pictures [K]: [K, 1, 32, 32].

    A side is 1.4 times the box's longer one, and 14 px at least, so that a dot stays small.
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = ((boxes[:, 2:] - boxes[:, :2]).amax(1) * 1.4).clamp(min=14)
    cells = (torch.arange(CROP, device=plane.device) + 0.5) / CROP - 0.5
    x = (middle[:, 0, None] + cells * side[:, None])[:, None, :] - 0.5
    y = (middle[:, 1, None] + cells * side[:, None])[:, :, None] - 0.5
    height, width = plane.shape[2:]
    left, top = x.floor().clamp(min=0).clamp(max=width - 2), y.floor().clamp(min=0).clamp(max=height - 2)
    right_part, lower_part = (x - left).clamp(0, 1), (y - top).clamp(0, 1)
    first = (picture[:, None, None] * height + top.long()) * width + left.long()
    values = plane.reshape(-1)
    upper = torch.lerp(values[first], values[first + 1], right_part)
    lower = torch.lerp(values[first + width], values[first + width + 1], right_part)
    return torch.lerp(upper, lower, lower_part)[:, None]


def boxes_at(distances: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return boxes [K, 4] in px from log distances [K, 4] to left, top, right, bottom of cells at `x`, `y` [K]."""
    away = distances.clamp(-4, 3).exp() * 8
    cell = away.new_tensor(CELL * 2)
    middle = (torch.stack([x, y, x, y], 1) + 0.5) * cell
    return middle + away * away.new_tensor([-1.0, -1.0, 1.0, 1.0])


def pyramid(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Lay the levels of a picture [1, 1, H, W] into one plane: brightness and where it is inside, [1, 1, 1.5 H0, W0].

    H0 and W0 are the sides with a margin, as multiples of `STEP`. The whole picture is at the top; below it, from left
    to right, lie its halves, quarters and so on, each with a margin that shrinks alike.
    """
    height, width = picture.shape[2:]
    down = (height + MARGIN + STEP - 1) // STEP * STEP - height
    right = (width + 2 * STEP - 1) // STEP * STEP - width
    level = functional.pad(picture, (0, right, 0, down))
    inside = functional.pad(torch.ones_like(picture), (0, right, 0, down))
    both = torch.cat([level, inside], 1)
    tall, wide = both.shape[2], both.shape[3]
    strip = []
    small = both
    for number in range(1, LEVELS):
        small = functional.avg_pool2d(small, 2)
        strip.append(functional.pad(small, (0, 0, 0, tall // 2 - tall // 2**number)))
    strip.append(both.new_zeros(1, 2, tall // 2, wide // STEP))
    brightness, inside = torch.cat([both, torch.cat(strip, 3)], 2).split(1, dim=1)
    return brightness / inside.clamp(min=1e-3), (inside > 0.5).float()


def to_picture(boxes: Tensor, x: Tensor, y: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    """Bring boxes [K, 4] from px of the pyramid's plane to px of the picture.

    They are of cells at `x`, `y` [K]; the plane has `columns` of cells, and its upper two thirds `rows` of them.
    """
    left = (x.float() + 0.5) / columns  # level k begins at 1 - 2^(1 - k)
    level = torch.where(y < rows, 0.0, (1 - torch.log2((1 - left).clamp(min=1e-6))).floor().clamp(max=LEVELS - 1))
    shift_x = torch.where(level > 0, (1 - torch.exp2(1 - level)) * columns, 0.0) * CELL[0]
    shift_y = torch.where(level > 0, float(CELL[1]) * rows, 0.0)
    shifted = boxes - torch.stack([shift_x, shift_y, shift_x, shift_y], 1)
    return shifted * torch.exp2(level)[:, None]


def unsuppressed(boxes: Tensor) -> Tensor:
    """Return which boxes [K, 4], the most certain first, are left by non-maximum suppression, bool [K].

    Two boxes are the same symbol where they share `OVERLAP` of their union, or where one covers most of the other:
    slanted neighbours share less. A dot is never a part of a digit. A box is suppressed by a more certain one that is
    not suppressed itself: a fixed point, reached in few rounds.
    """
    low, high = boxes.split(2, dim=1)
    sides = (torch.minimum(high[:, None], high) - torch.maximum(low[:, None], low)).clamp(min=0)
    shared = sides[..., 0] * sides[..., 1]
    tall = (high - low)[:, 1].clamp(min=1e-3)
    area = (high - low).clamp(min=1e-3).prod(1)
    smaller, larger = torch.minimum(area[:, None], area), torch.maximum(area[:, None], area)
    is_low = torch.minimum(tall[:, None], tall) < PART * torch.maximum(tall[:, None], tall)
    inside = torch.where(is_low, COVERED, CONTAINED) * smaller
    union = OVERLAP * (area[:, None] + area - shared)
    enough = torch.where(smaller > DOT * larger, torch.minimum(inside, union), union)
    order = torch.arange(boxes.shape[0], device=boxes.device)
    over = ((shared > enough) & (order < order[:, None])).float()
    kept = torch.ones_like(over[:, :1])
    for _ in range(ROUNDS):
        kept = (over @ kept < 0.5).float()
    return kept[:, 0] > 0.5


class NumberReader(nn.Module):
    """Read a picture, uint8 [1, H, W]: boxes [K, 4] in px, probabilities [K, C], is_mark [K] and truncated [1].

    The detector's and the crop classifier's logits are added, each with a weight. Objectness has a scale, and for each
    symbol a shift: points are found with less certainty than digits. All are fitted on validation.
    """

    calibration: Tensor

    def __init__(self, detector: Detector, classifier: CropClassifier) -> None:
        super().__init__()
        self.detector, self.classifier = detector, classifier
        self.register_buffer("calibration", torch.cat([torch.tensor([0.5, 0.5, 1.0]), torch.zeros(OTHER)]))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read `pixels`; the most certain rows come first."""
        boxes, objectness, seen, closer, truncated = self.candidates(pixels)
        probabilities = self.calibrated(objectness, seen, closer)
        far, near = self.calibration[:2].split(1)
        is_other = (far * seen + near * closer).argmax(1) == OTHER  # a dot that may not be there is no such mark
        return boxes, probabilities, is_other & (objectness.sigmoid() > MARK), truncated

    def candidates(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return boxes [K, 4], objectness logits [K], class logits of both networks [K, C], and truncated [1]."""
        picture = pixels[:, None].float() / 255
        height, width = picture.shape[2:]
        factor = 1 + torch.sym_min(1, ENLARGED // (height * width))  # 2 for a small picture
        picture = functional.interpolate(picture, size=(height * factor, width * factor), mode="bilinear")
        brightness, inside = pyramid(picture)
        plane = normalise(brightness, inside)
        objectness, classes, distances = self.detector(plane)
        best, place = peaks(objectness)
        rows, columns = (torch.scalar_tensor(side, dtype=torch.int64) for side in objectness.shape[1:])
        y = place // columns
        x = place - y * columns
        boxes = boxes_at(distances[0].flatten(1)[:, place].mT, x, y)
        found = to_picture(boxes, x, y, columns, rows // 3 * 2) / factor
        seen = classes[0].flatten(1)[:, place].mT
        kept = unsuppressed(found).nonzero()[:, 0]
        closer = self.classifier(crops_of(plane, boxes[kept], torch.zeros_like(kept)))
        limits = found.new_tensor([1.0, 0.0, 1.0, 0.0]) * width + found.new_tensor([0.0, 1.0, 0.0, 1.0]) * height
        inside_picture = torch.minimum(found[kept].clamp(min=0), limits)
        return inside_picture, best[kept], seen[kept], closer, (best.shape[0] >= torch.tensor([MOST]))

    def calibrated(self, objectness: Tensor, seen: Tensor, closer: Tensor) -> Tensor:
        """Return probabilities [K, C]; a candidate that is nothing counts as `other`."""
        far, near, scale = self.calibration[:3].split(1)
        classes = (far * seen + near * closer).softmax(1)
        symbols = classes[:, :OTHER] * (objectness[:, None] * scale + self.calibration[3:]).sigmoid()
        return torch.cat([symbols, 1 - symbols.sum(1, keepdim=True)], 1)


def peaks(objectness: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits and places of the cells [1, H, W] that are the most certain of the 3×3 around them, best first."""
    highest = functional.max_pool2d(objectness[:, None], 3, 1, 1)[:, 0]
    certain = torch.where(objectness >= highest, objectness, -20.0).flatten()
    best, place = certain.topk(torch.sym_min(certain.shape[0], MOST))
    first = torch.arange(best.shape[0], device=best.device) == 0  # else the graph would run on no candidate
    found = (first | (best > math.log(FOUND / (1 - FOUND)))).nonzero()[:, 0]
    return best[found], place[found]
