"""The conventions of every service's settings: environment, then a TOML file; secrets only as paths
to files.
"""

from pathlib import Path
from typing import Any, Literal, Self, cast

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from childlink_core.errors import UserError


class SettingsError(UserError):
    """A setting is missing or wrong."""


class SettingsFile(BaseSettings):
    """Base of every settings class. Load it with `load`, never by parsing the environment
    elsewhere.
    """

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def load(cls, file: Path | None, **overrides: Any) -> Self:
        """Read the settings, or raise SettingsError that names each setting that is missing or
        wrong.

        Paths in the file are relative to the file, so that a site can move its folder.
        """
        if file is not None and not file.is_file():
            raise SettingsError(f"Settings file {file} does not exist.", "Correct --settings.")
        file_class = type(
            cls.__name__,
            (cls,),
            {"model_config": SettingsConfigDict(**{**cls.model_config, "toml_file": file})},
        )
        try:
            settings = file_class(**overrides)
        except ValidationError as error:
            prefix = str(cls.model_config.get("env_prefix", "")).upper()
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}"
                for problem in error.errors(include_input=False)
            )
            where = (
                f"{file} or the environment ({prefix}NAME)"
                if file
                else f"the environment ({prefix}NAME) or --settings FILE"
            )
            raise SettingsError(
                f"Settings are not complete. {problems}.", f"Set them in {where}."
            ) from None
        except ValueError as error:
            raise SettingsError(
                f"{file} is not a TOML file: {error}.", "Correct the file."
            ) from None
        values: dict[str, Any] = dict(settings)
        if file is not None:
            values |= {
                name: file.parent / value
                for name, value in values.items()
                if isinstance(value, Path) and not value.is_absolute()
            }
        # Of the class itself, not of the one made above: settings travel to worker processes.
        return cast("Self", cls.model_construct(**values))


class ServiceSettings(SettingsFile):
    """What every service that reads Kafka sets."""

    model_config = SettingsConfigDict(extra="forbid")

    directory: Path
    """The partnership's directory file (public keys)."""
    bootstrap_servers: str = "localhost:9092"
    """Kafka brokers, host:port, comma-separated."""
    kafka_tls_ca: Path | None = None
    """CA certificate of the brokers. With it, connections use TLS; without it, only loopback should
    be used.
    """
    kafka_tls_certificate: Path | None = None
    """This service's client certificate."""
    kafka_tls_key: Path | None = None
    """The client certificate's private key file."""
    kafka_proxy: str = ""
    """Proxy to reach the brokers through: http://host:port (HTTP CONNECT) or socks5h://host:port.
    """
    kafka_api_version: tuple[int, ...] | None = None
    """Fixes the protocol version instead of asking the broker; only librdkafka's mock broker needs
    it: [2, 3].
    """
    dead_letters_an_hour: int = 200
    """Messages of one topic that may be refused for good in an hour; with more, the topic is
    suspended until it is resumed.
    """
    metrics_port: int = 0
    """Port of Prometheus metrics; 0 serves none."""
    metrics_address: str = "127.0.0.1"
    """Address that metrics are served on."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least grave lines that are logged."""
    trace_endpoint: str = ""
    """URL of an OpenTelemetry collector (OTLP over HTTP: https://collector:4318/v1/traces); empty
    traces nothing.
    """
