"""Settings of an adapter process, from the environment alone, checked and shown.

Secrets come as files: one folder holds them all, `<connection>.<secret>`, one live value a line,
the newest first. They are never logged.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "LOYALTY_ADAPTERS_"
PORT_MAX: Final = 65_535


class AdapterSettingsError(Exception):
    """Settings that cannot be used; every line names one, its value, and what is right."""


class AdapterSettings(BaseSettings):
    """Everything that can be set. `description` is what an error says would be right."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    listen: str = Field(
        default="127.0.0.1:7080", description="host:port for webhooks; port 0 takes a free one"
    )
    metrics_listen: str = Field(
        default="127.0.0.1:9465", description='host:port for Prometheus, or "off"'
    )
    mappings: Path = Field(
        default=Path("adapters.d"), description="a folder with a mapping file for each connection"
    )
    secrets: Path = Field(
        default=Path("/run/secrets/adapters"),
        description="a folder with a file <connection>.<secret> for each secret",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="postgresql://user:password@host:5432/database; empty: the ledger's",
    )
    database_url_file: Path | None = Field(
        default=None, description="a file that holds the database URL"
    )
    ledger: str = Field(default="127.0.0.1:7070", description="host:port of the ledger")
    ledger_token_file: Path | None = Field(
        default=None, description="a file with the token; empty: LOYALTY_TOKEN"
    )
    ledger_ca: Path | None = Field(
        default=None, description="a PEM file of the authority of the ledger's certificate"
    )
    door: bool = Field(default=True, description="on or off; off where another process listens")
    work: bool = Field(default=True, description="on or off; off where another process works")
    pull: bool = Field(default=True, description="on or off; off: no reconciling pulls here")
    outbox: bool = Field(
        default=True, description="on or off; off where another process tells subscribers"
    )
    outbox_token_file: Path | None = Field(
        default=None,
        description="a file with a token for the outbox; empty: the one for the ledger",
    )
    dry_run: bool = Field(default=False, description="on or off; on: the ledger records nothing")
    keep_days: int = Field(
        default=30, ge=1, le=3650, description="1 to 3650 days that raw bodies are kept"
    )
    keep_parts_days: int = Field(
        default=400, ge=1, le=3650, description="1 to 3650 days that parts are kept"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

    @field_validator("listen", "metrics_listen", "ledger")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value != "off" and not (host and port.isdigit() and int(port) <= PORT_MAX):
            raise ValueError("not host:port")
        return value

    def summary(self) -> Mapping[str, str | int | bool]:
        """Every setting by the name it is set with; secrets hidden."""
        shown = {PREFIX + name.upper(): getattr(self, name) for name in type(self).model_fields}
        if self.database_url.get_secret_value():
            shown[f"{PREFIX}DATABASE_URL"] = "(set, hidden)"
        return {
            name: value if isinstance(value, int) else str(value or "")
            for name, value in shown.items()
        }

    def dsn(self, default: str) -> str:
        """URL of the adapters' database. Raises AdapterSettingsError: its file cannot be read."""
        if self.database_url_file is None:
            return self.database_url.get_secret_value() or default
        return _text(f"{PREFIX}DATABASE_URL_FILE", self.database_url_file)

    def token(self, default: str) -> str:
        """The ledger's token. Raises AdapterSettingsError: its file cannot be read."""
        if self.ledger_token_file is None:
            return default
        return _text(f"{PREFIX}LEDGER_TOKEN_FILE", self.ledger_token_file)

    @property
    def tells(self) -> bool:
        """Whether this process tells subscribers: where nothing is recorded, nothing is told."""
        return self.outbox and not self.dry_run

    def outbox_token(self, default: str) -> str:
        """The token with which the outbox reads. Raises AdapterSettingsError."""
        if self.outbox_token_file is None:
            return default
        return _text(f"{PREFIX}OUTBOX_TOKEN_FILE", self.outbox_token_file)

    def authority(self) -> bytes | None:
        """Certificate of the ledger's authority. Raises AdapterSettingsError."""
        if self.ledger_ca is None:
            return None
        return _text(f"{PREFIX}LEDGER_CA", self.ledger_ca).encode()


def load(**overrides: object) -> AdapterSettings:
    """Settings of the environment; `overrides` come before it. Raises AdapterSettingsError."""
    try:
        return AdapterSettings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise AdapterSettingsError("\n".join(map(_explained, error.errors()))) from None


def _explained(problem: Mapping[str, object]) -> str:
    location = problem["loc"]
    field = str(location[0]) if isinstance(location, tuple) and location else ""
    value = "(hidden)" if field == "database_url" else repr(problem["input"])
    expected = AdapterSettings.model_fields[field].description
    return f"{PREFIX}{field.upper()} = {value}: expected {expected}"


def _text(setting: str, path: Path) -> str:
    try:
        text = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise AdapterSettingsError(f"{setting} = {str(path)!r}: {reason}") from None
    if not text:
        raise AdapterSettingsError(f"{setting} = {str(path)!r}: the file is empty")
    return text
