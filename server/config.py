"""Settings of the service: from the environment first, then from a TOML file, checked and shown.

Secrets come as files, never as arguments. `DATABASE_URL` may carry a password, so it stays hidden.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX: Final = "LOYALTY_"
CONFIG_FILE: Final = "LOYALTY_CONFIG"
PORT_MAX: Final = 65_535


class SettingsError(Exception):
    """Settings that cannot be used; every line names a setting, its value, and what is right."""


class Settings(BaseSettings):
    """Everything that can be set. `description` is what an error says would be right."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, validate_default=True
    )

    database_url: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="postgresql://user:password@host:5432/database; empty: the embedded PostgreSQL",
    )
    database_url_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL_FILE", "database_url_file"),
        description="a file that holds the database URL, instead of DATABASE_URL",
    )
    data_dir: Path = Field(
        default=Path("~/.local/share/loyalty"),
        description="a folder for the embedded PostgreSQL and for generated keys",
    )
    listen: str = Field(
        default="127.0.0.1:7070", description="host:port for gRPC; port 0 takes a free one"
    )
    metrics_listen: str = Field(
        default="127.0.0.1:9464", description='host:port for Prometheus, or "off"'
    )
    tls_cert: Path | None = Field(
        default=None, description="a PEM file with the certificate chain; needs LOYALTY_TLS_KEY"
    )
    tls_key: Path | None = Field(
        default=None, description="a PEM file with the private key; needs LOYALTY_TLS_CERT"
    )
    lanes: int = Field(
        default=16, ge=1, le=1024, description="1 to 1024; counts only at the first migration"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    identity_key_file: Path | None = Field(
        default=None,
        description="a file with 64 hexadecimal digits (openssl rand -hex 32);"
        " empty: identity.key in LOYALTY_DATA_DIR, made when missing",
    )
    queue_max: int = Field(
        default=4096, ge=1, le=1_000_000, description="1 to 1000000 writes that may wait"
    )
    batch_max: int = Field(default=512, ge=1, le=4096, description="1 to 4096 writes in a commit")
    cache_accounts: int = Field(
        default=200_000, ge=0, le=50_000_000, description="0 to 50000000 accounts kept in memory"
    )
    reflection: bool = Field(
        default=True, description="on or off; callers need a token all the same"
    )
    projections: bool = Field(
        default=True, description="on or off; off where another process runs them"
    )
    sweep_seconds: int = Field(
        default=60,
        ge=0,
        le=86_400,
        description="0 to 86400 seconds between passes of the sweeper; 0: it runs elsewhere",
    )
    transfer_seconds: int = Field(
        default=5,
        ge=0,
        le=3_600,
        description="0 to 3600 seconds between looks for transfers that were left under way; 0:"
        " another process looks",
    )
    policy_approval: Literal["required", "off"] = Field(
        default="required",
        description="required, so that a second person approves every policy after the first; or"
        " off",
    )
    drain_delay_seconds: int = Field(
        default=0,
        ge=0,
        le=300,
        description="0 to 300 seconds between NOT_SERVING and the last call",
    )
    drain_grace_seconds: int = Field(
        default=25, ge=1, le=300, description="1 to 300 seconds for calls to end"
    )

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value != "off" and not (host and port.isdigit() and int(port) <= PORT_MAX):
            raise ValueError("not host:port")
        return value

    @field_validator("data_dir", "database_url_file", "tls_cert", "tls_key", "identity_key_file")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.listen == "off":
            raise ValueError(f"{PREFIX}LISTEN: the service must listen somewhere, at host:port")
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "TLS_KEY" if self.tls_key is None else "TLS_CERT"
            raise ValueError(f"{PREFIX}{missing} is not set; TLS needs a certificate and its key")
        if self.database_url_file and self.database_url.get_secret_value():
            raise ValueError("DATABASE_URL and DATABASE_URL_FILE are both set; keep one of them")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before the environment before the file; nothing else is looked at."""
        assert isinstance(init_settings, InitSettingsSource)
        assert isinstance(env_settings, EnvSettingsSource)
        path = os.environ.get(CONFIG_FILE)
        if not path:
            return init_settings, env_settings
        if not Path(path).is_file():
            raise SettingsError(f"{CONFIG_FILE} = {path!r}: there is no such file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)

    def dsn(self) -> str:
        """URL of the database, from wherever it is set; empty means the embedded one.

        Raises:
            SettingsError: the file that should hold it cannot be read.
        """
        if self.database_url_file is None:
            return self.database_url.get_secret_value()
        return read_secret("DATABASE_URL_FILE", self.database_url_file)

    def summary(self) -> Mapping[str, str | int | bool]:
        """Every setting by the name it is set with; secrets hidden. For the log at start."""
        shown = {setting_name(name): getattr(self, name) for name in type(self).model_fields}
        if shown["DATABASE_URL"].get_secret_value():
            shown["DATABASE_URL"] = "(set, hidden)"
        return {
            name: value if isinstance(value, int) else str(value or "")
            for name, value in shown.items()
        }


def setting_name(field: str) -> str:
    """Name of the environment variable that sets a field."""
    upper = field.upper()
    return upper if upper.startswith("DATABASE_") else PREFIX + upper


def load(**overrides: object) -> Settings:
    """Settings of the environment and the file; `overrides` come before both.

    Raises:
        SettingsError: something is wrong; one line for each setting.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = (_explain(problem["loc"], problem) for problem in error.errors())
        raise SettingsError("\n".join(lines)) from None
    except ValueError as error:
        raise SettingsError(f"{CONFIG_FILE}: {error}") from None


def _explain(location: tuple[int | str, ...], problem: Mapping[str, object]) -> str:
    if not location:
        return str(problem["msg"]).removeprefix("Value error, ")
    field = str(location[0]).lower()
    known = Settings.model_fields.get(field)
    if known is None:
        return f"{field}: there is no such setting in the file of {CONFIG_FILE}"
    value = "(hidden)" if field == "database_url" else repr(problem["input"])
    return f"{setting_name(field)} = {value}: expected {known.description}"


def read_secret(setting: str, path: Path) -> str:
    """Content of a secret's file without the blanks around it.

    Raises:
        SettingsError: it cannot be read, or holds nothing.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{setting} = {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{setting} = {str(path)!r}: expected text, found bytes") from None
    if not secret:
        raise SettingsError(f"{setting} = {str(path)!r}: the file is empty")
    return secret
