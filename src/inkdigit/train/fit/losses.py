"""Losses of the localizer and of the classifiers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.special import entr

from ...evaluation.strokes import NO_DIGIT
from ..model.framing import profiles
from . import parallel

TELLING = 0.3  # weight of digit or no digit, beside which digit
TAUGHT = 0.7  # weight of the teachers' probabilities; the labels have the rest


def mask_loss(logits: Tensor, ink: Tensor) -> Tensor:
    """Return a loss of masks [N, 1, 48, 48]: cross-entropy, and Dice loss, in which small digits weigh as much.

    The profiles' cross-entropy is added, because the cut's extent hangs on the strongest cell of each row and column.
    """
    cells = functional.binary_cross_entropy_with_logits(logits, ink)
    sides = functional.binary_cross_entropy_with_logits(profiles(logits), profiles(ink))
    return 4 * cells + sides + 1 - dice(torch.sigmoid(logits), ink).mean()


def dice(found: Tensor, ink: Tensor) -> Tensor:
    """Return the Dice coefficient [N], 0..1, of masks found and true [N, 1, S, S]; 1 where both are empty."""
    return (2 * (found * ink).sum((1, 2, 3)) + 1) / (found.sum((1, 2, 3)) + ink.sum((1, 2, 3)) + 1)


def classifier_loss(
    network: nn.Module,
    frames: Tensor,
    labels: Tensor,
    label_smoothing: float,
    precision: str,
    teachers: Sequence[nn.Module] = (),
) -> tuple[Tensor, Tensor]:
    """Return this process's part of the losses of frames [N, 1, 28, 28] with their labels [N].

    They are cross-entropy of the labels, mixed with what teachers answer, plus that of digit or no digit: first each
    frame's own, without gradients and less its target's entropy, then the whole. The wholes' mean over the processes
    is the loss of the batch.
    """
    is_digit = (labels != NO_DIGIT).float()
    inputs, target, wanted = (parallel.part(each) for each in (frames, labels, is_digit))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.autocast(frames.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits, digitness = network(inputs)
        with torch.no_grad():
            answers = [teacher(inputs) for teacher in teachers]
    classes = logits.shape[1]
    share = (1 - label_smoothing) * functional.one_hot(target.clamp(min=0), classes) + label_smoothing / classes
    soft = wanted
    if answers:  # the mean of many networks is taught to one (Hinton, Vinyals, Dean 2015, section 2)
        share = share.lerp(torch.stack([answer.float().softmax(1) for answer, _ in answers]).mean(0), TAUGHT)
        soft = wanted.lerp(torch.stack([found.float().sigmoid() for _, found in answers]).mean(0), TAUGHT)
    reading = wanted * functional.cross_entropy(logits.float(), share, reduction="none")
    telling = TELLING * functional.binary_cross_entropy_with_logits(digitness.float(), soft, reduction="none")
    whole = parallel.count() * (reading.sum() / is_digit.sum() + telling.sum() / len(labels))
    # What a target itself leaves open is nothing to learn: a frame that teachers disagree about is not hard for that.
    left_open = wanted * entr(share).sum(1) + TELLING * (entr(soft) + entr(1 - soft))
    return (reading + telling).detach() - left_open, whole
