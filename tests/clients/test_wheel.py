"""The wheel has all that the client needs, built from the project or from a source archive."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clients" / "python"
STUBS = ROOT / "proto" / "loyalty"


def build(source: Path, kind: str, target: Path) -> Path:
    """Build a wheel or a source archive with the locked backend."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [made] = target.iterdir()
    return made


def files_of(wheel: Path) -> dict[str, bytes]:
    """What is installed, without the wheel's own records."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/") and ".dist-info/" not in name
        }


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel of the project as it is."""
    return build(PACKAGE, "wheel", tmp_path / "wheel")


def sources(folder: Path, inside: str) -> dict[str, bytes]:
    """The files of a package, by the name they have when installed."""
    return {
        f"{inside}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_is_the_client_and_the_contract_and_nothing_else(wheel: Path) -> None:
    wanted = {
        **sources(PACKAGE / "loyalty_client", "loyalty_client"),
        **sources(STUBS, "loyalty"),
        "loyalty_client/LICENSE": (ROOT / "LICENSE").read_bytes(),
    }
    assert files_of(wheel) == wanted
    assert {"loyalty/py.typed", "loyalty_client/service_config.json"} <= wanted.keys()


def test_a_source_archive_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    archive = build(PACKAGE, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    again = build(unpacked, "wheel", tmp_path / "again")
    assert files_of(again) == files_of(wheel)
