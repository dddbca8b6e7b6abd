"""The container file, without an engine to build it: what it copies and promises is there."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.files import DEPLOY, DOCKERFILE, ROOT, instructions, text


def copied() -> list[str]:
    """What the first stage takes from the project."""
    sources: list[str] = []
    for name, arguments in instructions():
        if name == "COPY" and not arguments.startswith("--from"):
            sources += [source.rstrip("/") for source in arguments.split()[:-1]]
    return sources


def last(instruction: str) -> str:
    """Arguments of the last instruction of a name: the one that holds."""
    return [arguments for name, arguments in instructions() if name == instruction][-1]


def test_everything_that_is_copied_exists() -> None:
    assert copied()
    assert not [source for source in copied() if not (ROOT / source).exists()]


def test_the_builder_sees_exactly_what_is_copied() -> None:
    allowed = re.findall(r"^!(.+)$", text(DEPLOY / "Dockerfile.dockerignore"), re.MULTILINE)
    assert sorted(allowed) == sorted(copied())


def test_every_package_that_the_service_needs_is_copied() -> None:
    for package in ("adapters", "ledger", "migrations", "projections", "proto/loyalty", "rules"):
        assert package in copied()


def test_the_service_runs_as_a_number_that_is_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last("USER"))


def test_both_stages_have_the_same_base_so_that_the_environment_fits() -> None:
    bases = [arguments.split()[0] for name, arguments in instructions() if name == "FROM"]
    assert len(bases) == 2
    assert len(set(bases)) == 1


def test_nothing_is_installed_that_is_not_in_the_lock() -> None:
    runs = " && ".join(arguments for name, arguments in instructions() if name == "RUN")
    commands = re.findall(r"(?:^|\s)\S*pip(?: --python \S+)? ((?:install|download) [^&]+)", runs)
    assert len(commands) == 3
    for command in commands:
        # Either by hash, or from the folder of what was taken by hash.
        assert "--require-hashes" in command or "--no-index --find-links /wheels" in command


def test_the_build_backend_is_taken_with_all_that_it_needs() -> None:
    named = re.search(r"\^\(([a-z|-]+)\)==", text(DOCKERFILE))
    assert named
    needed = {"hatchling"}
    for requirement in importlib.metadata.requires("hatchling") or ():
        package, _, condition = requirement.partition(";")
        if "python_version < '3.11'" not in condition:
            needed.add(re.split(r"[^\w-]", package.strip())[0])
    assert set(named[1].split("|")) == needed


def test_the_health_check_is_a_module_of_ours() -> None:
    assert '"python", "-m", "server.health"' in last("HEALTHCHECK")
    assert (ROOT / "server" / "health.py").is_file()


def test_hadolint_has_no_objection() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    subprocess.run([linter, DOCKERFILE], check=True)
