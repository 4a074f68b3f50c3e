"""Settings: where a value comes from, and what is refused without showing it."""

import os

import pytest
from pydantic import ValidationError

from inkdigit.model_file import digit_model_names
from inkdigit.settings import GradioSettings, Settings, UpSettings, explain


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what the machine sets."""
    for name in [*os.environ]:
        if name.startswith("INKDIGIT_") or name == "PORT":
            monkeypatch.delenv(name)


def test_a_port_comes_from_the_flag_then_inkdigit_port_then_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().port == 8000
    monkeypatch.setenv("PORT", "1")
    assert Settings().port == 1
    monkeypatch.setenv("INKDIGIT_PORT", "2")
    assert Settings().port == 2
    assert Settings(port=3).port == 3


def test_lists_are_split_at_commas() -> None:
    settings = Settings(model="tiny, mine=mine.onnx", cors="https://example.org,*")  # type: ignore[arg-type]
    assert settings.model == ("tiny", "mine=mine.onnx")
    assert settings.cors == ("https://example.org", "*")
    assert Settings(model=["a,b", "c"]).model == ("a", "b", "c")  # type: ignore[arg-type]


def test_all_shipped_digit_models_are_offered_unless_some_are_named() -> None:
    assert Settings().offered == tuple(digit_model_names())
    assert Settings(model=("tiny",)).offered == ("tiny",)


def test_settings_travel_to_other_processes_as_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Settings(port=5, model=("a", "b"), tokens=("secret", "other"), gradio=True)  # type: ignore[arg-type]
    for name, value in sent.environment().items():
        monkeypatch.setenv(name, value)
    received = Settings()
    assert received == sent
    assert [token.get_secret_value() for token in received.tokens] == ["secret", "other"]
    assert "secret" not in repr(received)


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("PORT", "70000", "port"),
        ("INKDIGIT_TOKENS", " , ", "tokens"),
        ("INKDIGIT_CORS", "example.org", "cors"),
        ("INKDIGIT_WORKERS", "0", "workers"),
        ("INKDIGIT_LOG_LEVEL", "loud", "log_level"),
        ("INKDIGIT_HEADER_TIMEOUT", "0", "header_timeout"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_setting(
    variable: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert explain(caught.value).startswith(f"Wrong settings: {named}")


def test_a_wrong_token_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKDIGIT_PORT", "secret")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "secret" not in explain(caught.value)


def test_up_takes_the_ports_of_the_apps_that_it_starts() -> None:
    assert UpSettings().gradio_port == GradioSettings().port == 7860
    assert UpSettings().port == Settings().port
