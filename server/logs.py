"""JSON logs, one event a line, in which no identity, token or password can be read."""

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

HIDDEN: Final = "(hidden)"
SECRET_KEYS: Final = frozenset(
    {
        "authorization",
        "database_url",
        "dsn",
        "identities",
        "identity",
        "key",
        "member",
        "password",
        "token",
    }
)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide what identifies a person or opens a door, at any depth."""
    return {name: _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: Any) -> Any:
    if name in SECRET_KEYS:
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(inner): _shown(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown("", item) for item in value]
    return value


class StderrLogger:
    """Writes lines to stderr as it is at that moment, and never raises.

    A log that cannot be written (its reader has gone, its disk is full) must not stop the writer.
    """

    def __init__(self, *_names: object) -> None:
        """Take what structlog passes on: the names a logger was asked for by."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):
            print(message, file=sys.stderr, flush=True)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def configure(level: str) -> None:
    """Send the logs of the whole process to stderr as JSON.

    Args:
        level: debug, info, warning or error; what is below it costs next to nothing.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=StderrLogger,
        cache_logger_on_first_use=True,
    )
    # Libraries that use the standard logging speak up only when something is wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
