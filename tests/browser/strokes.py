"""The ten digits as strokes, for the tests to draw."""

from collections.abc import Sequence

Point = tuple[float, float]
Stroke = list[Point]

# Points x,y in hundredths of a box, y downward; | lifts the pen.
PATHS = {
    0: "55,2 36,7 22,25 18,52 25,80 42,97 62,94 78,74 83,45 76,18 62,4 50,3",
    1: "52,0 51,25 50,50 48,75 47,100",
    2: "20,24 28,8 48,1 68,8 75,26 68,46 48,68 28,86 17,97 36,95 60,95 84,96",
    3: "22,12 40,2 62,4 73,18 68,35 44,47 66,53 79,69 73,88 52,98 32,97 18,88",
    4: "30,2 26,22 20,42 16,56 40,56 64,54 86,52 | 68,6 66,35 64,65 62,100",
    5: "34,4 32,22 29,42 46,38 65,44 75,60 72,80 56,95 36,97 20,88 | 34,4 56,4 78,2",
    6: "66,2 46,16 30,38 22,64 27,86 44,98 64,94 75,78 70,60 54,53 36,60 25,74",
    7: "18,6 40,6 62,5 82,3 70,28 56,55 46,78 40,100",
    8: "70,14 54,2 36,6 27,20 36,36 54,48 70,62 75,80 62,96 42,98 27,86 28,68 42,53 60,40 71,26 70,14",
    9: "72,20 60,5 40,5 27,20 30,38 46,48 62,42 72,26 73,14 71,40 67,70 62,100",
}


def parse(path: str) -> list[Stroke]:
    points = [[point.split(",") for point in stroke.split()] for stroke in path.split("|")]
    return [[(int(x) / 100, int(y) / 100) for x, y in stroke] for stroke in points]


DIGITS = {digit: parse(path) for digit, path in PATHS.items()}


def placed(strokes: Sequence[Stroke], left: float, top: float, width: float, height: float) -> list[Stroke]:
    """Scale strokes into a box, in px."""
    return [[(left + width * x, top + height * y) for x, y in stroke] for stroke in strokes]
