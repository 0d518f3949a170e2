"""Conventions for settings: environment first, then a TOML file. Secrets are given as paths to
files.
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
    """Base class of all settings. Use `load`; never read the environment elsewhere."""

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
        """Read the settings. Raises SettingsError that names each setting that is missing or wrong.

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
                f"Settings are incomplete or wrong. {problems}.", f"Set them in {where}."
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
        # Build the class itself, not the temporary class above, because settings are sent to worker
        # processes.
        return cast("Self", cls.model_construct(**values))


class ServiceSettings(SettingsFile):
    """Settings of every service that reads Kafka."""

    model_config = SettingsConfigDict(extra="forbid")

    directory: Path
    """The partnership's directory file (public keys)."""
    bootstrap_servers: str = "localhost:9092"
    """Kafka brokers, host:port, comma-separated."""
    kafka_tls_ca: Path | None = None
    """CA certificate of the brokers. If set, connections use TLS. Without it, use loopback only."""
    kafka_tls_certificate: Path | None = None
    """This service's client certificate."""
    kafka_tls_key: Path | None = None
    """The client certificate's private key file."""
    kafka_proxy: str = ""
    """Proxy to the brokers: http://host:port (HTTP CONNECT) or socks5h://host:port."""
    kafka_api_version: tuple[int, ...] | None = None
    """Protocol version to use instead of asking the broker. Only librdkafka's mock broker needs it:
    [2, 3].
    """
    dead_letters_an_hour: int = 200
    """Permanently refused messages allowed per topic and hour. With more, the topic is suspended
    until it is resumed.
    """
    metrics_port: int = 0
    """Port for Prometheus metrics; 0 turns them off."""
    metrics_address: str = "127.0.0.1"
    """Address on which metrics are served."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The lowest level that is logged."""
    trace_endpoint: str = ""
    """URL of an OpenTelemetry collector (OTLP over HTTP: https://collector:4318/v1/traces). Empty:
    no tracing.
    """
