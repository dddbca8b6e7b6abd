"""The key under which identities are hashed. Without it no member is found by card or phone."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from server.config import Settings, SettingsError, read_secret

SETTING: Final = "LOYALTY_IDENTITY_KEY_FILE"
KEY_BYTES: Final = 32
_HEX: Final = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")


def identity_key(settings: Settings) -> bytes:
    """Return the 32 bytes of the key; without a file in the settings one is made, and kept.

    Raises:
        SettingsError: the file cannot be read or written, or holds something else.
    """
    path = settings.identity_key_file or _made(settings.data_dir / "identity.key")
    text = read_secret(SETTING, path)
    if not _HEX.fullmatch(text):
        raise SettingsError(
            f"{SETTING} = {str(path)!r}: expected 64 hexadecimal digits (openssl rand -hex 32)"
        )
    return bytes.fromhex(text)


def _made(path: Path) -> Path:
    if path.exists():
        return path
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        with draft.open("w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            # Members that are enrolled under it must not outlive it.
            os.fsync(file.fileno())
        # A link is made whole or not at all: of two processes one makes the key, both use it.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    except OSError as error:
        raise SettingsError(f"LOYALTY_DATA_DIR: cannot make {path}: {error.strerror}") from None
    return path
