"""Deployment settings. Nothing here changes a prediction: that is the model file's contract.

A value comes from a flag of the command, else from its `INKDIGIT_*` variable, else from the default here, which is the
only place where it is written.
"""

import os
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliSuppress,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from .model_file import digit_model_names

PREFIX = "INKDIGIT_"
_ORIGIN = re.compile(r"\*|https?://[^/\s,]+")


def _split(value: Any) -> Any:
    """Split a comma-separated variable; a flag given twice comes as a list of such texts."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return value
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def _split_tokens(value: Any) -> Any:
    """Split tokens; refuse a value without a token, which would leave the service open."""
    tokens = _split(value)
    if value and tokens == ():
        raise ValueError("there is no token in it")
    return tokens


def _check_origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError(f"{value} is no origin such as https://example.org, nor *")
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_check_origin)], ...], NoDecode, BeforeValidator(_split)]
Tokens = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_tokens)]


def _config(command: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_prog_name=f"inkdigit {command}",
    )


def _port(default: int, more: str = "") -> Any:
    return Field(default=default, ge=0, le=65535, description=f"Port to listen on; 0 takes a free one.{more}")


def _model(more: str = "") -> Any:
    text = (
        "Name of a shipped model, path of an .onnx model file, or NAME=PATH to serve it under another name. May be "
        "repeated; the first is the default. Without it, all shipped models."
    )
    return Field(default=(), description=text + more)


class ServerSettings(BaseSettings):
    """Settings of every server: where it listens, which models it offers, and where it stores corrections."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = _port(0, " $PORT is read too.")
    model: Names = _model()
    corrections: SecretStr = Field(
        default=SecretStr(""),
        description="URL of the store of corrections, sqlite:///FILE or postgresql://…; without it, none are taken. A "
        "URL with a password belongs in the variable.",
    )
    corrections_days: int = Field(default=90, ge=1, le=3650, description="Days after which a correction is deleted.")
    corrections_count: int = Field(
        default=10_000, ge=1, description="Corrections that are held at a time; above that the answer is 507."
    )
    corrections_rate: int = Field(
        default=60, ge=1, description="Corrections that are taken in a minute, of all clients; above that it is 429."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  no file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add `PORT`, which many hosts set, below `INKDIGIT_PORT`."""
        port = {"port": os.environ["PORT"]} if os.environ.get("PORT") else {}
        return init_settings, env_settings, InitSettingsSource(settings_cls, port)

    def environment(self) -> dict[str, str]:
        """Return the settings as variables, which is how flags travel to other processes."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {PREFIX + name.upper(): _text(value) for name, value in values}

    @property
    def offered(self) -> tuple[str, ...]:
        """List the models to choose from, the default first."""
        return self.model or tuple(digit_model_names())


class GradioSettings(ServerSettings):
    """Serve the Gradio app."""

    model_config = _config("gradio")
    port: int = _port(7860, " $PORT is read too.")


class StreamlitSettings(ServerSettings):
    """Serve the Streamlit app."""

    model_config = _config("streamlit")
    port: int = _port(8501, " $PORT is read too.")


class Settings(ServerSettings):
    """Serve the page and the HTTP interface."""

    model_config = _config("serve")

    port: int = _port(8000, " $PORT is read too.")
    model: Names = _model(" SIGHUP reloads the files.")
    gradio: bool = Field(default=False, description="Serve the Gradio app too, at /gradio.")
    cors: Origins = Field(default=(), description="Origins whose pages may call the service.")
    workers: int = Field(default=1, ge=1, le=256, description="Worker processes.")
    in_flight: int = Field(
        default=64, ge=1, description="Pictures or batches in work at a time, per worker; above that the answer is 503."
    )
    body_timeout: float = Field(
        default=30.0, gt=0, description="Seconds within which a request's body must arrive, else 408."
    )
    body_memory: int = Field(
        default=512,
        ge=101,
        description="MiB of request bodies that a worker holds at a time; above that the answer is 503.",
    )
    header_timeout: float = Field(
        default=10.0,
        ge=0.1,
        description="Seconds within which a request's header must arrive; an idle connection ends then.",
    )
    drain_timeout: int = Field(
        default=30, ge=1, description="Seconds that a stopping worker has to answer the requests it has received."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        default="warning", description="Least severe server message that is logged."
    )
    log_requests: Literal["off", "text", "json"] = Field(
        default="text",
        description="Format of the access log, one line per request on stderr; health checks are left out.",
    )
    tokens: CliSuppress[Tokens] = Field(
        default=(), description="Bearer tokens. If any is set, every request needs one of them."
    )


class UpSettings(Settings):
    """Serve the page, Gradio and, if asked, Streamlit together, each in a process of its own."""

    model_config = _config("up")

    model: Names = _model(" SIGHUP stops all servers, as SIGTERM does.")
    gradio_port: int = _port(GradioSettings.model_fields["port"].default)
    streamlit: bool = Field(default=False, description="Serve the Streamlit app too.")
    streamlit_port: int = _port(StreamlitSettings.model_fields["port"].default)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_text(item) for item in value)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def explain(error: ValidationError) -> str:
    """Return one sentence that names the wrong settings, without their values: a token may be among them."""
    wrong = (f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
    return f"Wrong settings: {'; '.join(wrong)}."
