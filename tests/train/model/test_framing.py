"""Framing's arithmetic, for any picture, and what the shipped graph makes of moved, inverted and cropped digits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from inkdigit import Recognizer
from inkdigit.train.data import Sheets
from inkdigit.train.fit.losses import mask_loss
from inkdigit.train.model.framing import (
    CLOSER,
    LEAST_SEEN,
    PATCH,
    Framing,
    Paper,
    around_ink,
    averaged,
    extent,
    inked,
    look,
    look_closer,
    overlaps,
    place,
    profiles,
)
from inkdigit.train.model.localizer import GRID, MASK, Localizer, standardised

from ...pictures import Grey, digits


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@given(st.integers(1, 60), st.integers(1, 8), st.floats(-20, 60), st.floats(0.2, 20))
@settings(deadline=None, max_examples=60)
def test_a_row_never_weighs_more_than_its_cell(size: int, count: int, start: float, width: float) -> None:
    centres = torch.tensor(start) + torch.arange(count) * width
    matrix = overlaps(centres[:, None], torch.tensor(width), size)
    assert matrix.shape == (count, size)
    assert float(matrix.min()) >= 0
    cell = max(width, 1)
    assert float(matrix.sum(1).max()) <= cell * (1 + 1e-4)
    inside = (centres - cell / 2 >= 0) & (centres + cell / 2 <= size)
    torch.testing.assert_close(
        matrix.sum(1)[inside], torch.full((int(inside.sum()),), float(cell)), atol=1e-3, rtol=1e-4
    )


def test_whole_cells_are_averaged_exactly() -> None:
    picture = torch.rand(12, 12)
    matrix = overlaps((torch.arange(4)[:, None] + 0.5) * 3, torch.tensor(3.0), 12)
    means = matrix @ picture @ matrix.T / 9
    torch.testing.assert_close(means, picture.view(4, 3, 4, 3).mean((1, 3)))


def test_the_glance_is_trained_on_what_it_will_see() -> None:
    torch.manual_seed(0)
    pictures = torch.randint(0, 256, (3, GRID, GRID), dtype=torch.uint8)
    shape = torch.tensor([[96.0, 40.0], [52.0, 96.0], [96.0, 96.0]])
    grids, _ = Sheets(pictures, shape, pictures, torch.zeros(3)).stretched(torch.arange(3))
    for grid, picture, (width, height) in zip(grids, pictures, shape.int().tolist(), strict=True):
        seen = standardised(look(picture[None, None, :height, :width].float()))
        torch.testing.assert_close(seen[0], grid, atol=1e-4, rtol=0)


def test_the_second_look_is_at_what_is_around_the_ink_and_at_all_where_there_is_none() -> None:
    sides = torch.tensor([[[480.0], [960.0]]])
    first = torch.tensor([[[10.0], [20.0]], [[0.0], [40.0]], [[20.0], [20.0]], [[48.0], [48.0]]])
    last = torch.tensor([[[20.0], [30.0]], [[12.0], [48.0]], [[21.0], [21.0]], [[0.0], [0.0]]])
    start, size = around_ink((first, last), sides)
    wide = CLOSER * 200
    assert start[0].flatten().tolist() == pytest.approx([150 - wide / 2, 500 - wide / 2])
    assert size[0].flatten().tolist() == pytest.approx([wide, wide])
    wide = CLOSER * 160
    assert start[1].flatten().tolist() == pytest.approx([0, 880 - wide / 2])  # it ends where the picture does
    assert size[1].flatten().tolist() == pytest.approx([60 + wide / 2, 80 + wide / 2])
    assert size[2].flatten().tolist() == [LEAST_SEEN, LEAST_SEEN]
    assert [start[3].flatten().tolist(), size[3].flatten().tolist()] == [[0, 0], [480, 960]]


@given(st.integers(1, 700), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_an_average_of_the_rows_on_a_cell_is_the_product_with_all_rows(height: int, one: float, other: float) -> None:
    start, stop = sorted([one * height, other * height])
    cell = torch.tensor((stop - start) / GRID)
    centres = start + (torch.arange(GRID) + 0.5) * cell
    picture, width = torch.rand(1, height, 3), cell.clamp(min=1)
    product = overlaps(centres.clamp(0.5, height - 0.5)[:, None], width, height) @ picture / width
    torch.testing.assert_close(averaged(picture, centres[None, None], width.view(1, 1, 1)), product, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (192, 96), (480, 288), (30, 60)])
def test_a_closer_look_at_all_of_a_picture_is_a_look_at_it(height: int, width: int) -> None:
    rows, columns = torch.arange(height) / height, torch.arange(width) / width
    picture = 128 + 100 * torch.sin(7 * rows)[:, None] * torch.cos(9 * columns)
    whole = torch.tensor([[[float(height)], [float(width)]]])
    grids = look(picture[None, None]), look_closer(picture[None, None], torch.zeros(1, 2, 1), whole)
    torch.testing.assert_close(*grids, atol=1.0, rtol=0)


def test_what_may_be_ink_at_a_first_look_is_seen_from_near() -> None:
    """A localizer is surest of a 6's loop, and hardly of its tail, which may be a neighbour."""

    class Told(Localizer):
        def forward(self, level: Tensor) -> Tensor:
            probability = torch.full((len(level), 1, MASK, MASK), 0.01)
            probability[..., 20:30, 24:32], probability[..., 20:30, 20:24] = 0.99, 0.3
            return probability.logit()

    size = Framing(Told()).from_near(torch.full((1, 1, 480, 480), 200.0))[2]
    torch.testing.assert_close(size, torch.tensor([[[CLOSER * 120], [CLOSER * 120]]]))  # 12 cells of 10 px, not 10


def test_a_large_picture_is_framed_as_what_is_around_its_ink(recognizer: Recognizer) -> None:
    for image in digits(30, 120)[0]:
        sheet = np.full((900, 700), 235, np.uint8)
        sheet[300:420, 200:320] = np.minimum(image, 235)
        sheet[700:, 450:] = 60  # far from it
        alone = sheet[280:440, 180:340]
        whole, part = (recognizer.predict(each).frame for each in (sheet, alone))
        assert difference(whole, part) < 0.15  # a cell of the closer look is 1.75 px, and its edges lie elsewhere


@pytest.mark.parametrize("place", [(0, 0), (0, 200), (420, 360), (150, 0)])
def test_a_large_picture_is_framed_alike_wherever_its_ink_is(recognizer: Recognizer, place: tuple[int, int]) -> None:
    sheet = np.full((600, 500), 235, np.uint8)
    ink = np.full((180, 140), 235, np.uint8)
    ink[20:160, 20:36] = ink[20:36, 20:120] = 20
    pictures = [sheet.copy(), sheet.copy()]
    for picture, (top, left) in zip(pictures, [(200, 170), place], strict=True):
        picture[top : top + 180, left : left + 140] = ink
    middle, elsewhere = (recognizer.predict(each).frame for each in pictures)
    assert difference(middle, elsewhere) < 0.2  # what is around it is cut off by an edge, so the window is no square


def test_extent_of_something_and_of_nothing() -> None:
    inked = torch.zeros(1, 2, 5, dtype=torch.bool)
    inked[0, 0, 1:3] = True
    first, last = extent(inked)
    assert first[0, 0, 0].item() == 1
    assert last[0, 0, 0].item() == 3
    assert first[0, 1, 0] > last[0, 1, 0]


def test_pale_remains_of_a_stain_do_not_make_the_digit_small() -> None:
    ink = torch.zeros(1, 1, PATCH, PATCH)
    ink[..., 6:36, 16:26] = 1
    stained = ink.clone()
    stained[..., 40:, 2:] = 0.3
    sizes = [[int((frame > 0.9).any(axis).sum()) for axis in (2, 3)] for frame in (place(ink), place(stained))]
    assert sizes[0] == sizes[1]


def test_paper_is_what_is_beside_the_ink_and_not_the_desk_around_it() -> None:
    grid = torch.full((1, 1, MASK, MASK), 60.0)
    grid[..., 8:32, 10:30] = 230
    mask = torch.zeros(1, 1, MASK, MASK)
    mask[..., 12:28, 18:21] = 1
    grid[mask > 0] = 60
    paper = Paper(grid, mask, extent(profiles(mask) > 0.5))
    assert abs(float(paper.at(torch.full((1, 2, 1), -4.0))) - 230) < 10


def test_grain_is_no_ink_and_what_is_much_darker_is() -> None:
    torch.manual_seed(0)
    depth = 4 * torch.randn(1, 1, PATCH, PATCH)
    depth[..., 10:30, 20] = 60
    ink, _ = inked(depth, torch.ones_like(depth))
    assert (ink[..., 10:30, 20] > 0.9).all()
    assert ink[..., :20].mean() < 0.01
    dense = torch.where(torch.rand(1, 1, PATCH, PATCH) < 0.6, -130.0, 150.0)  # brighter than what was taken for paper
    ink, contrast = inked(dense, (dense > 0).float())
    assert contrast > 0
    assert (ink[dense > 0] > 0.9).all()


def test_a_stray_cell_far_from_the_ink_costs_more_than_one_beside_it() -> None:
    ink = torch.zeros(1, 1, MASK, MASK)
    ink[..., 20:28, 20:26] = 1
    beside, far = (8 * (2 * ink - 1) for _ in range(2))
    beside[..., 24, 26], far[..., 4, 40] = 2, 2
    assert mask_loss(far, ink) > mask_loss(beside, ink) > mask_loss(8 * (2 * ink - 1), ink)


@given(st.integers(1, 140), st.integers(1, 140), st.integers(0, 255), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_every_picture_has_a_finite_frame(height: int, width: int, level: int, seed: int) -> None:
    torch.manual_seed(0)
    framing = Framing(Localizer()).eval()
    noise = np.random.default_rng(seed).integers(0, level + 1, (1, height, width), dtype=np.uint8)
    with torch.no_grad():
        frame, contrast = framing(torch.tensor(noise))
    assert frame.shape == (1, 1, 28, 28)
    assert 0 <= float(frame.min()) <= float(frame.max()) <= 1
    assert float(contrast) >= 0
    assert float(contrast) > 0 or float(frame.max()) == 0


def page(digit: Grey, side: int, top: int, left: int) -> Grey:
    """Lay a dark digit on a white page, off the middle."""
    canvas = np.full((side, side), 255, np.uint8)
    canvas[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return canvas


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the mean difference of frames, as a part of the ink."""
    return float(np.abs(one - other).sum() / one.sum())


def test_polarity_place_and_size_leave_the_frame_as_it_is(recognizer: Recognizer) -> None:
    images, _ = digits(30, 90)
    plain = [recognizer.predict(page(image, 180, 45, 45)).frame for image in images]
    changed = {
        "inverted": [255 - page(image, 180, 45, 45) for image in images],
        "moved": [page(image, 180, 5, 82) for image in images],
        "smaller": [page(image[::2, ::2], 180, 100, 20) for image in images],
        "on a desk": [np.pad(page(image, 180, 45, 45), ((0, 60), (40, 0)), constant_values=60) for image in images],
        "paler": [(page(image, 180, 45, 45) // 4 + 150).astype(np.uint8) for image in images],
    }
    for name, pages in changed.items():
        frames = [recognizer.predict(picture).frame for picture in pages]
        assert np.median([difference(a, b) for a, b in zip(plain, frames, strict=True)]) < 0.25, name


def test_framing_a_frame_changes_it_little(recognizer: Recognizer) -> None:
    images, _ = digits(50)
    frames = [recognizer.predict(image).frame for image in images]
    again = [recognizer.predict(frame).frame for frame in frames]
    changes = [difference(a, b) for a, b in zip(frames, again, strict=True)]
    assert np.mean(changes) < 0.25


def test_the_longest_side_is_twenty_and_the_mass_is_in_the_middle(recognizer: Recognizer) -> None:
    images, _ = digits(40, 120)
    for image in images:
        frame = recognizer.predict(page(image, 240, 30, 90)).frame
        inked = frame > 0.2
        height, width = (np.ptp(np.flatnonzero(inked.any(axis))) + 1 for axis in (1, 0))
        assert 17 <= max(height, width) <= 22
        cells = np.arange(28) + 0.5
        x, y = ((frame.sum(axis) * cells).sum() / frame.sum() for axis in (0, 1))
        assert abs(x - 14) < 0.5
        assert abs(y - 14) < 0.5
