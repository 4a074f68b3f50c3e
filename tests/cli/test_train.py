"""`inkdigit train`: how its options make a recipe. What training does is tested in tests/train."""

import pytest

from .command import inkdigit


def test_the_help_is_short_and_names_the_other_settings() -> None:
    out, _ = inkdigit("train", "--help")
    assert 10 <= out.count("--") <= 20
    assert "--set" in out


@pytest.mark.parametrize(
    ("setting", "told"),
    [("batch=many", "whole number"), ("colour=red", "weight_decay"), ("batch", "KEY=VALUE"), ("batch=0", "batch")],
)
def test_a_wrong_setting_is_one_sentence(setting: str, told: str) -> None:
    out, err = inkdigit("train", "--set", setting, code=2)
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_the_settings_are_listed_with_their_defaults() -> None:
    out, _ = inkdigit("train", "--settings")
    assert "batch=128  Batch size.\n" in out
