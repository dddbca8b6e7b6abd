"""The operating-system account that the database server runs as: never root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from server.embedded.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Account:
    """A user and primary group by number; `switch` tells whether it is not our own."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def for_data(cls, cluster: Path) -> Self:
        """Return who serves the data in `cluster`: its owner if root asks, else ourselves.

        For a new folder root picks `nobody`, so that no user needs to be created.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), switch=False)
        if cluster.exists() and (found := cluster.stat()).st_uid != 0:
            return cls(found.st_uid, found.st_gid, switch=True)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid, switch=True)

    @property
    def name(self) -> str:
        """Return the user's name, its number if it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    @property
    def switch_uid(self) -> int | None:
        """Return the user for a child process, None for our own."""
        return self.uid if self.switch else None

    @property
    def switch_gid(self) -> int | None:
        """Return the group for a child process, None for our own."""
        return self.gid if self.switch else None

    @property
    def switch_groups(self) -> list[int] | None:
        """Return the supplementary groups for a child process: none of root's."""
        return [] if self.switch else None

    def own(self, folder: Path) -> None:
        """Make `folder` this account's own; only root can and need do it."""
        if self.switch:
            os.chown(folder, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account may pass through `folder`, which exists."""
        return self._has(folder, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)

    def can_run(self, binary: Path) -> bool:
        """Tell whether this account may run `binary` and reach it through its parents."""
        return all(self.can_enter(parent) for parent in binary.parents) and self._has(
            binary,
            stat.S_IRUSR | stat.S_IXUSR,
            stat.S_IRGRP | stat.S_IXGRP,
            stat.S_IROTH | stat.S_IXOTH,
        )

    def refuse_unreachable(self, folder: Path) -> None:
        """Do nothing if every parent of `folder` lets this account through.

        Raises:
            EmbeddedError: naming the folder that does not. Its permissions are its owner's
                business: they are never changed.
        """
        for parent in reversed(folder.parents):
            if parent.exists() and not self.can_enter(parent):
                raise EmbeddedError(
                    f"the database server would run as user {self.name}, who may not enter"
                    f" {parent}",
                    advice="Set LOYALTY_DATA_DIR to a folder that others may enter"
                    " (/var/lib/loyalty, say), or start as a normal user",
                )

    def _has(self, path: Path, user: int, group: int, other: int) -> bool:
        found = path.stat()
        if not self.switch:
            return os.access(path, os.X_OK)
        if found.st_uid == self.uid:
            return found.st_mode & user == user
        if found.st_gid == self.gid:
            return found.st_mode & group == group
        return found.st_mode & other == other
