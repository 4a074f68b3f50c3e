import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkdigit.constraints import Constraints, constraints
from inkdigit.layout import Calibration, find_numbers
from inkdigit.reading import Box, Number

LABELS = (*"0123456789.,-/", "other")
PLAIN = Calibration(1.0, 0.0)
WIDTHS = {"1": 0.2, ".": 0.12, ",": 0.12, "-": 0.4, "/": 0.4}
TOPS = {".": (0.88, 1.0), ",": (0.9, 1.15), "-": (0.48, 0.56), "/": (-0.12, 1.12)}  # top and bottom in heights


@dataclass(frozen=True)
class Candidate:
    text: str  # a symbol, "doubt", "mark", "bar": a mark that could be a slash, "speck": what could be a point
    box: Box
    probability: float = 0.99


def line(
    text: str, x: float = 0, y: float = 0, height: float = 20, gap: float = 0.2, slope: float = 0, space: float = 1.5
) -> list[Candidate]:
    """Write a line whose first digit's top left is (x, y); gaps and spaces are in heights."""
    found = []
    start = x
    for sign in text:
        if sign == " ":
            x += space * height
            continue
        top, bottom = TOPS.get(sign, (0.0, 1.0))
        wide, at = WIDTHS.get(sign, 0.6) * height, y + slope * (x - start)
        found.append(Candidate(sign, (x, at + top * height, x + wide, at + bottom * height)))
        x += wide + gap * height
    return found


def find(
    candidates: Sequence[Candidate],
    calibration: Calibration = PLAIN,
    limits: Constraints | None = None,
    is_one: bool = False,
) -> tuple[Number, ...]:
    boxes = np.array([each.box for each in candidates], np.float32).reshape(-1, 4)
    rows = np.zeros((len(candidates), 15), np.float32)
    for row, each in zip(rows, candidates, strict=True):
        place = LABELS.index("other" if each.text in {"doubt", "mark", "bar", "speck"} else each.text)
        rest = {"bar": LABELS.index("/"), "speck": LABELS.index(".")}.get(each.text, (place + 1) % 15)
        row[place], row[rest] = each.probability, 1 - each.probability
    is_mark = np.array([each.text in {"mark", "bar"} for each in candidates], bool)
    return find_numbers(boxes, rows, is_mark, LABELS, calibration, limits.decode if limits else None, is_one)


def texts(candidates: Sequence[Candidate]) -> str:
    rows: dict[int, list[str]] = {}
    for number in find(candidates):
        rows.setdefault(number.row, []).append(number.text)
    return "\n".join(" ".join(row) for row in rows.values())


def flat(lines: Sequence[list[Candidate]]) -> list[Candidate]:
    return [each for line in lines for each in line]


def small_fraction(upper: str, lower: str, x: float, style: str) -> list[Candidate]:
    """Write a fraction beside digits of 20 px that stand at y = 0."""
    if style == "stacked":
        bar = Candidate("-", (x - 1, 9.5, x + 7 * max(len(upper), len(lower)), 11))
        return [*line(upper, x, -2, 10, 0.1), bar, *line(lower, x, 12.5, 10, 0.1)]
    above = line(upper, x, -1, 11, 0.1)
    slash = above[-1].box[2] - 1
    return [*above, Candidate("/", (slash, -2, slash + 8, 23)), *line(lower, slash + 6, 11, 11, 0.1)]


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "11",
        "2026 7",
        "12/03/2024 15.50",
        "-15.50",
        "45 -12",
        "1,234.5",
        "3-4",
        "01-02-03",
        ".5",
        "0 0 0 12",
        "9/10",
    ],
)
def test_a_line_reads_as_it_is_written(text: str) -> None:
    assert texts(line(text)) == text


@pytest.mark.parametrize("gap", [-0.1, 0.0, 0.3, 0.5])
@pytest.mark.parametrize("text", ["1234567890", "4710", "11111"])
def test_a_number_holds_together_at_any_spacing(text: str, gap: float) -> None:
    assert texts(line(text, gap=gap)) == text


@pytest.mark.parametrize("style", ["stacked", "diagonal"])
@pytest.mark.parametrize(("whole", "upper", "lower"), [("6", "1", "2"), ("12", "3", "16"), ("", "5", "8")])
def test_a_small_fraction_is_one_number_with_the_whole(whole: str, upper: str, lower: str, style: str) -> None:
    before = line(whole)
    x = before[-1].box[2] + 5 if before else 0
    (number,) = find(before + small_fraction(upper, lower, x, style))
    assert number.text == f"{whole} {upper}/{lower}".strip()
    assert len(number.symbols) == len(whole + upper + lower) + 1


@pytest.mark.parametrize(("at", "text"), [(1.0, "61\n2"), (0.5, "6 1/2")])
def test_a_level_mark_between_small_digits_is_a_fraction_bar_at_mid_height_of_a_larger_digit(
    at: float, text: str
) -> None:
    middle = at * 30
    parts = line("1", 25, middle - 14, 12) + line("2", 25, middle + 2, 12)
    assert texts(line("6", height=30) + parts + [Candidate("bar", (22, middle - 1, 36, middle + 1), 0.98)]) == text


def test_a_list_of_negative_numbers_has_no_fractions() -> None:
    rows = [line(text, 0, 32 * row) for row, text in enumerate(["-12", "-345", "-6"])]
    assert texts(flat(rows)) == "-12\n-345\n-6"


def test_two_columns_are_read_row_by_row() -> None:
    left = [line(text, 0, 40 * row) for row, text in enumerate(["12", "345", "6"])]
    right = [line(text, 150, 40 * row + 3) for row, text in enumerate(["7.5", "8", "99"])]
    assert texts(flat(right + left)) == "12 7.5\n345 8\n6 99"


@pytest.mark.parametrize("slope", [-0.15, 0.15])
def test_sloping_rows_stay_apart(slope: float) -> None:
    rows = [line("12345 678 90123", 0, 35 * row, slope=slope, space=4) for row in range(5)]
    assert texts(flat(rows)) == "\n".join(["12345 678 90123"] * 5)


def test_a_row_may_curve() -> None:
    curved = [
        Candidate(each.text, (each.box[0], each.box[1] + rise, each.box[2], each.box[3] + rise))
        for place, each in enumerate(line("123456789012"))
        for rise in [18 * math.sin(place / 11 * math.pi)]
    ]
    assert texts(curved) == "123456789012"


def test_sizes_may_differ_in_a_number() -> None:
    big = line("7")
    assert texts(big + line("005", 16, 8, 12)) == "7005"


def test_small_raised_digits_after_an_amount_belong_to_it() -> None:
    amount = line("125")
    assert texts(amount + line("00", amount[-1].box[2] + 4, -3, 11)) == "12500"


@pytest.mark.parametrize("text", ["4821", "11111", "9016", "70"])
def test_a_row_of_printed_boxes_is_one_number(text: str) -> None:
    boxed = [
        Candidate(sign, (30 * place - half, 0, 30 * place + half, 20))
        for place, sign in enumerate(text)
        for half in [10 * WIDTHS.get(sign, 0.6)]
    ]
    assert texts(boxed) == text


def test_two_fields_of_boxes_stay_apart() -> None:
    fields = [Candidate("4", (x - 6, 0, x + 6, 20)) for x in (0, 30, 60, 150, 180, 210)]
    assert texts(fields) == "444 444"


def test_a_mark_between_digits_ends_the_number() -> None:
    time_of_day = line("12", 0) + line("30", 32)
    assert texts(time_of_day) == "1230"
    assert texts([*time_of_day, Candidate("mark", (24, 4, 28, 18))]) == "12 30"


@pytest.mark.parametrize(("height", "text"), [(9, "12 34"), (4, "1234")])
def test_a_speck_ends_no_number(height: float, text: str) -> None:
    digits = line("1234")
    x = (digits[1].box[2] + digits[2].box[0]) / 2
    assert texts([*digits, Candidate("mark", (x - 1, 6, x + 1, 6 + height))]) == text


def test_a_wide_gap_with_a_possible_point_is_the_place_of_that_point() -> None:
    digits = line("18 056", space=0.8)
    assert texts(digits) == "18 056"
    left = digits[1].box[2]
    (number,) = find([*digits, Candidate("speck", (left + 8, 18, left + 11, 21), 0.7)])
    assert number.text == "18.056"
    assert number.symbols[2].confidence == pytest.approx(0.3)
    assert number.confidence < 0.4
    high = Candidate("speck", (left + 8, 2, left + 11, 5), 0.7)
    assert texts([*digits, high]) == "18 056"


def test_a_point_that_is_found_twice_counts_once() -> None:
    found = line("15.2")
    left, top, right, bottom = found[2].box
    again = Candidate(",", (left + 0.5, top - 1, right + 1, bottom + 0.5), 0.6)
    assert texts([*found, again]) == "15.2"
    assert texts([*line("1.5.20")]) == "1.5.20"


def test_a_dash_that_is_found_twice_counts_once() -> None:
    found = line("-15")
    left, top, right, bottom = found[0].box
    again = Candidate("-", (left + 2, top, right + 2, bottom), 0.6)
    assert texts([*found, again]) == "-15"
    point = Candidate(".", (right + 1, bottom + 6, right + 3, bottom + 8), 0.9)
    assert texts([*line("-5"), point]) == "-.5"


def test_a_speck_in_a_number_lowers_its_confidence() -> None:
    digits = line("1234")
    x = (digits[1].box[2] + digits[2].box[0]) / 2
    (number,) = find([*digits, Candidate("mark", (x - 1, 6, x + 1, 9), 0.7)])
    assert number.confidence == pytest.approx(0.99**4 * 0.7, rel=1e-4)


def test_a_candidate_is_a_digit_where_that_is_more_probable_than_not() -> None:
    row = np.zeros((1, 15), np.float32)
    row[0, [4, 9, 14]] = 0.35, 0.25, 0.4
    box = np.array([[0, 0, 12, 20]], np.float32)
    (number,) = find_numbers(box, row, np.array([True]), LABELS, PLAIN)
    assert number.text == "4"
    assert number.confidence == pytest.approx(0.35)


def test_an_underline_ends_no_number() -> None:
    assert texts([*line("1234"), Candidate("mark", (-4, 18, 70, 22))]) == "1234"


@pytest.mark.parametrize("text", [".", "-", "/", ",-"])
def test_marks_without_a_digit_are_no_number(text: str) -> None:
    assert texts(line(text)) == ""
    assert texts(line(text) + line("12", 300, 300)) == "12"


def test_a_point_belongs_to_the_row_that_it_stands_on() -> None:
    rows = line("12.5", 0, 0) + line("3456", 0, 26)
    assert texts(rows) == "12.5\n3456"


def test_nothing_is_no_number() -> None:
    assert find([]) == ()
    assert find([Candidate("doubt", (0, 0, 5, 5)), Candidate("mark", (9, 0, 15, 5))]) == ()


def test_the_confidence_is_the_product_of_the_symbols_then_calibrated() -> None:
    candidates = [Candidate("4", (0, 0, 12, 20), 0.9), Candidate("2", (16, 0, 28, 20), 0.8)]
    assert find(candidates)[0].confidence == pytest.approx(0.72, abs=1e-6)
    odds = 2 * math.log(0.72 / 0.28) + 0.5
    assert find(candidates, Calibration(2, 0.5))[0].confidence == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-6)


def test_a_doubtful_candidate_lowers_only_the_number_that_it_adjoins() -> None:
    doubt = Candidate("doubt", (55, 0, 59, 20), 0.6)
    near, far = find([*line("1234", 0), *line("56", 200), doubt])
    sure = find(line("1234"))[0].confidence
    assert near.text == "1234"
    assert near.confidence == pytest.approx(0.6 * sure, abs=1e-6)
    assert far.confidence == pytest.approx(0.99**2, abs=1e-6)


def test_alternatives_are_the_likely_symbols() -> None:
    rows = np.zeros((1, 15), np.float32)
    rows[0, [7, 1, 2, 14]] = 0.85, 0.08, 0.004, 0.066
    (number,) = find_numbers(np.array([[0, 0, 9, 20]], np.float32), rows, np.zeros(1, bool), LABELS, PLAIN)
    assert list(number.symbols[0].alternatives) == ["7", "1"]
    assert number.symbols[0].confidence == pytest.approx(0.85)


def test_boxes_are_those_of_the_symbols() -> None:
    (number,) = find(line("-15.50", 10, 30))
    lefts, tops, rights, bottoms = zip(*(symbol.box for symbol in number.symbols), strict=True)
    assert number.box == (min(lefts), min(tops), max(rights), max(bottoms))
    assert "".join(symbol.text for symbol in number.symbols) == "-15.50"


@st.composite
def scenes(draw: st.DrawFn) -> list[Candidate]:
    """Any candidates at all, in quarters of a pixel, which scaling keeps exact."""

    def candidate() -> Iterator[Candidate]:
        text = draw(st.sampled_from([*LABELS[:-1], *"0123456789", "doubt", "mark"]))
        left, top = (draw(st.integers(0, 400)) / 4 for _ in range(2))
        wide, tall = (draw(st.integers(1, 80)) / 4 for _ in range(2))
        yield Candidate(text, (left, top, left + wide, top + tall), 0.75)

    return [each for _ in range(draw(st.integers(0, 25))) for each in candidate()]


def moved(each: Candidate, scale: float, x: float, y: float) -> Candidate:
    left, top, right, bottom = each.box
    return Candidate(
        each.text, (left * scale + x, top * scale + y, right * scale + x, bottom * scale + y), each.probability
    )


@settings(deadline=None)
@given(scenes(), st.randoms())
def test_the_candidates_order_makes_no_difference(scene: list[Candidate], random: object) -> None:
    shuffled = list(scene)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert find(shuffled) == find(scene)


@settings(deadline=None)
@given(scenes(), st.sampled_from([0.5, 2.0, 8.0]), st.integers(0, 64))
def test_place_and_size_make_no_difference(scene: list[Candidate], scale: float, shift: int) -> None:
    elsewhere = [moved(each, scale, shift * scale, 2 * shift * scale) for each in scene]
    assert [(each.text, each.row) for each in find(elsewhere)] == [(each.text, each.row) for each in find(scene)]


@settings(deadline=None)
@given(scenes())
def test_every_digit_is_in_one_number_and_rows_are_in_order(scene: list[Candidate]) -> None:
    numbers = find(scene)
    read = sorted(
        (symbol.text, symbol.box) for number in numbers for symbol in number.symbols if symbol.text.isdecimal()
    )
    slashes = {each.box for each in scene if each.text == "/"}  # one that starts a number is taken for a digit
    wanted = sorted((each.text, each.box) for each in scene if each.text.isdecimal())

    def counts(box: Box) -> bool:  # one in or at the box of a far larger digit may be a part of its line
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        around = [
            (
                left - 0.1 * (bottom - top),
                top - 0.1 * (bottom - top),
                right + 0.1 * (bottom - top),
                bottom + 0.1 * (bottom - top),
            )
            for _, (left, top, right, bottom) in wanted
            if box[3] - box[1] <= 0.4 * (bottom - top)
        ]
        is_grain = any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in around)
        return box not in slashes and not is_grain

    assert [each for each in read if counts(each[1])] == [each for each in wanted if counts(each[1])]
    assert [number.row for number in numbers] == sorted(number.row for number in numbers)
    assert {number.row for number in numbers} == set(range(len({number.row for number in numbers})))
    assert all(0 <= number.confidence <= 1 for number in numbers)


def test_a_thousand_symbols_take_little_time() -> None:
    random = np.random.default_rng(0)
    corner = random.uniform(0, 1500, (1024, 2))
    size = random.uniform(5, 40, (1024, 2))
    signs = random.choice(list(LABELS[:-1]), 1024)
    boxes = np.concatenate([corner, corner + size], 1).tolist()
    full = [Candidate(str(sign), tuple(box)) for sign, box in zip(signs, boxes, strict=True)]
    start = time.perf_counter()
    find(full)
    assert time.perf_counter() - start < 3


def test_no_number_starts_with_a_slash_or_ends_with_a_mark() -> None:
    def read(text: str) -> str:
        row = [Candidate(sign, (20 * place, 0, 20 * place + 14, 20)) for place, sign in enumerate(text)]
        return " ".join(number.text for number in find(row))

    assert read("/5400")[1:] == "5400"
    assert read("/5400")[0].isdecimal()
    assert read("12/") == "12"
    assert read("7") == "7"


def test_all_in_a_field_is_one_number() -> None:
    apart = line("12/05 2026 7", gap=0.5, space=1.2)
    assert [number.text for number in find(apart, is_one=True)] == ["12/0520267"]
    assert len(find(apart)) > 1
    stray = Candidate("7", (300, 5, 312, 20))
    speck = Candidate("7", (60, 16, 64, 20))
    assert [number.text for number in find([*line("42"), stray, speck], is_one=True)] == ["42"]
    assert [number.text for number in find([*line("6", y=40), *line("425")], is_one=True)] == ["425"]
    assert find([], is_one=True) == ()


def test_a_constraint_takes_what_was_taken_for_none_or_was_not_detected() -> None:
    doubt = [*line("104"), Candidate("doubt", (44, 0, 56, 20), 0.6)]  # else 0, the label after `other`
    (number,) = find(doubt, limits=constraints(LABELS, pattern=r"\d{4}"))
    assert (number.text, len(number.symbols), number.box) == ("1040", 4, (0, 0, 56, 20))
    (number,) = find(line("101"), limits=constraints(LABELS, choices=["1041"]))
    left, right = number.symbols[1].box, number.symbols[3].box
    assert number.text == "1041"
    assert left[2] <= number.symbols[2].box[0] <= number.symbols[2].box[2] <= right[0]
    (number,) = find(line("77"), limits=constraints(LABELS, choices=["1041"]))
    assert (number.text, number.is_match) == ("77", False)


def test_a_mixed_fraction_matches_with_its_space() -> None:
    fraction = [*line("6"), *line("1", 16, -1, 9), Candidate("-", (15, 9, 26, 10.5)), *line("2", 17, 12, 9)]
    assert [number.text for number in find(fraction)] == ["6 1/2"]
    (number,) = find(fraction, limits=constraints(LABELS, pattern=r"\d \d/\d"))
    assert (number.text, number.is_match) == ("6 1/2", True)


def test_what_resembles_a_digit_in_the_line_of_a_far_larger_one_is_a_part_of_it() -> None:
    """Seen closely, the end of a thick line may look like a digit."""
    grain = Candidate("4", (130, 60, 140, 75), 0.6)
    beside = Candidate("4", (170, 60, 180, 75), 0.6)
    large = line("42", x=80, height=120, gap=0.5)
    assert [number.text for number in find([*large, grain])] == ["42"]
    assert find([*large, grain])[0].confidence == find(large)[0].confidence
    assert len(find([*large, beside])) == 2
