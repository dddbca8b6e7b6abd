"""Adds the contract's stubs and the licence, which stand in the project once, to what is built."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ContractHook(BuildHookInterface[Any]):
    """Finds them in the project; a source archive that was built from it has them beside itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; an editable install reads the project's own instead."""
        here = Path(self.root)
        project = here.parent.parent
        unpacked = (here / "loyalty").is_dir()
        stubs = here / "loyalty" if unpacked else project / "proto" / "loyalty"
        licence = here / "LICENSE" if unpacked else project / "LICENSE"
        inside = "loyalty_client/LICENSE" if self.target_name == "wheel" else "LICENSE"
        included: dict[str, str] = build_data["force_include"]
        included[str(stubs)] = "loyalty"
        included[str(licence)] = inside
