"""Pictures of paper that are trained on: what always holds of them, whatever was drawn at random."""

import numpy as np
import pytest
import torch

from inkdigit.evaluation.strokes import draw
from inkdigit.train.data import Sheets
from inkdigit.train.model.framing import Paper
from inkdigit.train.model.localizer import GRID, MASK
from inkdigit.train.synth.paper import BOLDEST, gaps, line_width, marks, page, prints, shadows, things
from inkdigit.train.synth.sheet import BOLDER, STEP, Sheet, anywhere, behind, bolder, sheet, smaller

COUNT = 120


def sheets(seed: int) -> Sheet:
    torch.manual_seed(seed)
    ink = torch.zeros(COUNT, 56, 56)
    ink[:, 8:48, 16:22] = 1
    ink[:, 8:14, 16:40] = 1
    return sheet(ink, GRID)


def test_a_sheet_holds_its_digit_within_its_own_shape_and_a_seed_gives_the_same() -> None:
    made, again = sheets(1), sheets(1)
    torch.testing.assert_close(made.pictures, again.pictures, rtol=0, atol=0)
    assert float(made.pictures.min()) >= 0
    assert float(made.pictures.max()) <= 1
    for width, height in made.shape.int().tolist():
        assert max(width, height) == GRID
        assert width % STEP == height % STEP == 0
    inside = torch.stack([ink[: int(h), : int(w)].sum() for ink, (w, h) in zip(made.ink, made.shape, strict=True)])
    assert (inside > 0).all()
    assert float((inside / made.ink.sum((1, 2))).median()) > 0.99  # a tight crop may cut some off
    assert (made.pictures.amax((1, 2)) > made.pictures.amin((1, 2))).all()


def test_some_digits_are_written_with_a_wider_pen_as_far_as_they_can_be_read() -> None:
    torch.manual_seed(4)
    ink = torch.zeros(4 * COUNT, 56, 56)
    line, ring, gap, two = ink.split(COUNT)
    line[:, 20:36, 27:29] = 1
    ring[:, 18:34, 22:34], ring[:, 20:32, 24:32] = 1, 0  # its hole is 8 cells wide
    gap[:, 10:46, 20:24] = gap[:, 10:46, 30:34] = 1  # 6 cells from each other
    two[:, 10:14, 8:48] = two[:, 20:24, 8:48] = two[:, 20:46, 8:12] = 1  # as near, and most of its box is empty
    line, ring, gap, two = bolder(ink).split(COUNT)
    wide = line[:, 28].sum(1)
    assert set(wide.int().tolist()) == {2 + 2 * cells for cells in range(BOLDER + 1)}
    assert 0.4 < float((wide == 2).float().mean()) < 0.65
    assert set((1 - ring[:, 26, 22:34]).sum(1).int().tolist()) == {8, 6, 4, 2}
    assert set((1 - gap[:, 26, 22:32]).sum(1).int().tolist()) == {6, 4, 2}
    assert set((1 - two[:, 12:22, 30]).sum(1).int().tolist()) == {6, 4, 2, 0}
    alone = torch.stack([bolder(line[:1])[0] for _ in range(12)])  # some of them get no wider pen
    assert float(alone[:, 28].sum(1).min()) == float(line[0, 28].sum())


def test_digits_are_of_every_size_and_often_at_an_edge() -> None:
    torch.manual_seed(2)
    parts, places = smaller(2000), anywhere(2000)
    assert float(parts.min()) < 0.06
    assert float(parts.max()) > 0.95
    assert 0.4 < float((parts < 0.2236).float().mean()) < 0.6
    assert float(((places < 0.1) | (places > 0.9)).float().mean()) > 0.25


def test_no_desk_covers_the_digit() -> None:
    torch.manual_seed(3)
    centre, sides = torch.rand(COUNT, 2) * GRID, 4 + torch.rand(COUNT, 2) * 40
    seen = page(centre, sides, GRID)
    assert 0.4 < float((seen.amin((1, 2)) == 0).float().mean()) < 0.7
    column, row = centre.long().clamp(max=GRID - 1).unbind(1)
    assert (seen[torch.arange(COUNT), row, column] == 1).all()


@pytest.mark.parametrize("light", [30.0, 200.0])
def test_the_light_is_that_of_the_paper_near_the_ink_not_of_the_desk(light: float) -> None:
    grid, mask = torch.full((1, 1, MASK, MASK), light), torch.zeros(1, 1, MASK, MASK)
    grid[..., 26:, :] = 255 - light
    mask[..., 8:18, 20:26] = 1
    grid[mask > 0] = 100
    span = torch.tensor([[[8.0], [20.0]]]), torch.tensor([[[18.0], [26.0]]])
    found = Paper(grid, mask, span).at(torch.tensor([[[-16.0, -11.0, -6.0], [-4.0, -1.0, 2.0]]]))
    torch.testing.assert_close(found, torch.full_like(found, light), atol=1, rtol=0)


def test_the_light_is_less_in_a_shadow_that_crosses_the_ink() -> None:
    grid, mask = torch.full((1, 1, MASK, MASK), 200.0), torch.zeros(1, 1, MASK, MASK)
    grid[..., 24:] = 100
    mask[..., 20:22, 14:34] = 1
    grid = torch.where(mask > 0, 0.3 * grid, grid)
    cells = torch.arange(MASK) + 0.5 - MASK / 2
    paper = Paper(grid, mask, (torch.tensor([[[20.0], [14.0]]]), torch.tensor([[[22.0], [34.0]]])))
    plane = paper.at(torch.stack([cells, cells])[None])
    true = torch.where(cells < 0, 200.0, 100.0)
    beside = torch.cat([torch.arange(14, 21), torch.arange(27, 34)])  # where no more than one light is close
    by_plane, found = ((light[0, 0, 18] - true).abs()[beside] for light in (plane, plane + paper.off))
    assert float(by_plane.mean()) > 20
    assert (found < 0.5 * by_plane + 2).all()


def test_some_papers_lie_in_a_shadow_and_some_are_seen_through() -> None:
    torch.manual_seed(6)
    lit = shadows(400, GRID)
    assert 0.85 < float((lit.amin((1, 2)) < 0.9).float().mean()) < 1
    assert float(lit.min()) > 0.1
    assert float(lit.max()) <= 1
    ink = torch.zeros(400, 56, 56)
    ink[:, 8:48, 16:22] = ink[:, 8:14, 16:40] = 1
    seen = behind(ink, torch.full((400, 2), float(GRID)), torch.tensor([[24.0, 40.0]]).repeat(400, 1), GRID)
    assert 0.15 < float((seen.amax((1, 2)) > 0).float().mean()) < 0.3
    assert float(seen.max()) < 0.5


@pytest.mark.parametrize("width", [0.5, 1, 2, 4, 8])
def test_the_width_of_lines_is_estimated(width: float) -> None:
    lines = [np.array(ends, np.float32) for ends in ([[20, 20], [70, 70]], [[20, 30], [70, 30]])]
    ink = torch.tensor(np.stack([draw([line], width, GRID) for line in lines])) / 255
    assert line_width(ink).flatten().tolist() == pytest.approx([width, width], rel=0.4)


def test_no_form_is_printed_in_far_wider_lines_than_those_on_it() -> None:
    torch.manual_seed(5)
    centre, sides = torch.full((COUNT, 2), 48.0), torch.full((COUNT, 2), 40.0)
    line = draw([np.array([[30, 30], [60, 66]], np.float32)], 0.3, GRID)
    hairlines = torch.tensor(line)[None].repeat(COUNT, 1, 1) / 255
    printed = (1 - prints(hairlines, centre, sides, GRID)).amax((1, 2))
    assert 0.1 < float((printed > 0).float().mean()) < 0.9
    assert float(printed.max()) <= BOLDEST * line_width(hairlines).max()
    assert float((1 - prints(torch.zeros_like(hairlines), centre, sides, GRID)).max()) > 0.8


def test_things_lie_beside_some_digits_and_never_on_one() -> None:
    torch.manual_seed(8)
    ink = torch.zeros(400, GRID, GRID)
    ink[:, 30:60, 40:44] = 1
    _, taken = things(ink, GRID)
    assert 0.1 < float((taken.amax((1, 2)) == 1).float().mean()) < 0.3
    assert float(taken[:, 28:62, 38:46].max()) < 1  # it is in the shadow of one at most
    assert float(taken[ink > 0].max()) <= 0.5


def test_nobody_rings_nothing() -> None:
    torch.manual_seed(9)
    ink = torch.zeros(2, 200, GRID, GRID)
    ink[0, :, 30:60, 40:44] = 1
    around, nothing = (marks(each, torch.full((200, 2), 45.0), torch.full((200, 2), 30.0), GRID) for each in ink)
    assert float((around.amax((1, 2)) > 0).float().mean()) > 0.5
    assert float(nothing.max()) == 0


def test_a_mask_keeps_all_of_a_hairline_that_crosses_itself() -> None:
    ink = torch.zeros(1, GRID, GRID, dtype=torch.uint8)
    ink[0, 48, 20:70] = ink[0, 20:70, 44] = 50
    ink[0, 46:50, 42:46] = 250
    sheets = Sheets(ink, torch.tensor([[GRID, GRID]]), ink, torch.tensor([4]))
    mask = sheets.stretched(torch.tensor([0]))[1][0, 0]
    assert int(mask[24].sum()) == int(mask[:, 22].sum()) == 25


def test_gaps_leave_most_of_some_inks_and_all_of_the_others() -> None:
    torch.manual_seed(0)
    left = gaps(torch.full((400, 2), 60.0), GRID)
    gapped = (left < 1).any(2).any(1)
    assert 0.25 < gapped.float().mean() < 0.35
    assert 0 <= left.min() < 0.01
    assert 0.6 < left[gapped].mean() < 0.95
    assert left[gapped].mean((1, 2)).min() > 0.4
