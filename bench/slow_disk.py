"""A PostgreSQL whose fdatasync takes 2 ms longer, as on a cloud disk: a shim that it preloads."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ADDED_MICROSECONDS: Final = 2_000

_SOURCE: Final = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

int fdatasync(int file)
{
    static int (*real)(int);
    struct timespec added = {0, %d};
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    nanosleep(&added, 0);
    return real(file);
}
"""


class NoShim(Exception):
    """The shim cannot be had here; says why."""


def environment(folder: Path) -> Mapping[str, str]:
    """Environment of a server with the slow fdatasync; the shim is compiled into `folder`.

    Raises:
        NoShim: there is no compiler, or this is not Linux.
    """
    if platform.system() != "Linux":
        raise NoShim("LD_PRELOAD and fdatasync are Linux's")
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoShim("there is no C compiler (cc) to make the shim with")
    source, shim = folder / "slow_fdatasync.c", folder / "slow_fdatasync.so"
    source.write_text(_SOURCE % (ADDED_MICROSECONDS * 1000))
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", shim, source, "-ldl"],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise NoShim(f"cc failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    # PostgreSQL may run as another user.
    os.chmod(shim, 0o755)
    return {"LD_PRELOAD": str(shim)}
