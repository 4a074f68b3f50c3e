"""Tables that `evaluate` and `models` print."""

import io

import numpy as np
from rich.console import Console

from inkdigit.evaluation.reports import confusion_lines, digitness_table, model_table, score_table
from inkdigit.evaluation.scores import Score
from inkdigit.model_file import model_path, open_artefact


def score(right: int, wrong: int, digitness: float = 1.0) -> Score:
    """Return the score of pictures of a 0, of which some are read as a 1."""
    probabilities = np.repeat([[0.9, 0.1], [0.2, 0.8]], [right, wrong], axis=0)
    return Score(probabilities, np.full(right + wrong, digitness), np.zeros(right + wrong, int))


def lines(table: object) -> list[str]:
    """Return a table as it is printed."""
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


def test_one_model_has_a_line_for_each_source() -> None:
    printed = lines(score_table({"mnist-test": {"tiny": score(3, 1)}, "pens": {"tiny": score(4, 0)}}))
    mnist, pens = printed[-2:]
    assert mnist.split()[:3] == ["mnist-test", "4", "75.00%"]
    assert pens.split()[:3] == ["pens", "4", "100.00%"]
    assert "0: 75.0%" in mnist  # the worst digit and its accuracy


def test_several_models_stand_below_their_source() -> None:
    printed = lines(score_table({"pens": {"a": score(3, 1), "b": score(4, 0)}}))
    assert [line.split()[0] for line in printed[-3:]] == ["pens", "a", "b"]


def test_digitness_is_compared_with_each_source_of_digits() -> None:
    digits = {"pens": {"a": score(4, 0, 0.9)}, "mnist-test": {"a": score(4, 0, 0.2)}}
    others = {"omniglot": {"a": score(2, 0, 0.3)}}
    assert lines(digitness_table(digits, others))[-1].split() == ["omniglot", "1.0000", "0.0000"]


def test_a_confusion_matrix_has_dots_for_no_picture() -> None:
    printed = list(confusion_lines(np.array([[12, 0], [3, 4]]), ("0", "1")))
    assert printed == [" read as  0  1", "       0 12  ·", "       1  3  4"]


def test_models_are_listed_with_their_size_and_scores() -> None:
    path = model_path("tiny")
    contract = open_artefact(path)[1]
    name, version, network, size, *scores = lines(model_table({"tiny": (path, contract)}))[-1].split()
    assert (name, version, network) == ("tiny", contract.version, contract.architecture)
    assert float(size) == round(path.stat().st_size / 1e6, 2)
    assert scores == [f"{each['accuracy']:.2%}" for each in contract.scores.values() if "accuracy" in each]
