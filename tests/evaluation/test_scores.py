"""Scores, and how they are written."""

import numpy as np

from inkdigit import Recognizer
from inkdigit.evaluation.datasets import Labelled
from inkdigit.evaluation.scores import Score, score

from ..pictures import digits


def made(answers: list[int], labels: list[int]) -> Score:
    probabilities = np.zeros((len(answers), 3))
    for place, answer in enumerate(answers):
        if answer >= 0:
            probabilities[place, answer] = 1
    return Score(probabilities, np.ones(len(answers)), np.array(labels))


def test_a_picture_without_an_answer_counts_as_wrong_and_stands_in_no_column() -> None:
    result = made([0, 1, -1, 2, 2], [0, 1, 2, 2, 1])
    assert result.accuracy == 0.6
    assert result.answers.tolist() == [0, 1, -1, 2, 2]
    assert result.confusion.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]


def test_pictures_are_scored_as_predict_answers_them_and_the_bar_moves() -> None:
    images, labels = digits(30, 28)
    images = [*images, np.full((28, 28), 255, np.uint8)]
    moved: list[int] = []
    recognizer = Recognizer()
    result = score(recognizer, Labelled(np.stack(images), np.array([*labels, 0]), {}), moved.append)
    assert sum(moved) == len(images)
    assert result.answers.tolist() == [*(recognizer.predict(image).digit for image in images[:-1]), -1]
    assert result.digitness[-1] == 0 < result.digitness[:-1].min()
