"""Which systems there are, and which connections: adapters found, mappings and secrets read."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import asyncpg
from pydantic import BaseModel

import adapters
from adapters.frame.adapter import Adapter, Connection
from adapters.frame.mapping import Finding, MappingFile, MappingRefused, load

FRAME: Final = "frame"


@cache
def systems() -> Mapping[str, Adapter]:
    """Every adapter there is, by name: a module of the package `adapters` with an ADAPTER."""
    found: dict[str, Adapter] = {}
    for module in pkgutil.iter_modules(adapters.__path__):
        if module.name != FRAME:
            adapter: Adapter = importlib.import_module(f"adapters.{module.name}").ADAPTER
            found[adapter.name] = adapter
    return found


def settings_models() -> Mapping[str, type[BaseModel]]:
    """The model of `settings` of each system."""
    return {name: adapter.settings for name, adapter in systems().items()}


def read_mapping(path: Path) -> MappingFile:
    """Read a mapping file of any system. Raises MappingRefused."""
    return load(path, settings_models())


def connection_of(mapping: MappingFile, secrets: Path | None) -> Connection:
    """Return the connection of a mapping, with its secrets from a folder."""
    adapter = systems()[mapping.system]
    return Connection(mapping.connection, adapter, mapping, secrets_of(mapping.connection, secrets))


def secrets_of(name: str, folder: Path | None) -> dict[str, tuple[str, ...]]:
    """Return the live values of the secrets of a connection or subscription, from a folder."""
    found: dict[str, tuple[str, ...]] = {}
    if folder is None or not folder.is_dir():
        return found
    for path in sorted(folder.glob(f"{name}.*")):
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            secret = path.name.removeprefix(f"{name}.")
            found[secret] = tuple(filter(None, map(str.strip, lines)))
    return found


def read_all(mappings: Path, secrets: Path) -> dict[str, Connection]:
    """Read every mapping file of a folder, with its secrets.

    Raises:
        MappingRefused: everything that is wrong in any of them, or there is none.
    """
    files = mapping_files(mappings)
    findings: list[Finding] = []
    connections: dict[str, Connection] = {}
    sources: dict[tuple[str, str], str] = {}
    if not files:
        findings.append(Finding(str(mappings), 0, "", "no mapping file (*.yaml) is there"))
    for file in files:
        try:
            mapping = read_mapping(file)
        except MappingRefused as refused:
            findings += refused.findings
            continue
        if mapping.connection in connections:
            twice = f"another file has connection {mapping.connection!r}"
            findings.append(Finding(str(file), 0, "connection", twice))
        for place in mapping.places:
            # Two connections that number documents under one source would overwrite each other.
            key = (place.business_unit, mapping.source_name)
            other = sources.setdefault(key, mapping.connection)
            if other != mapping.connection:
                problem = f"connection {other!r} has source {key[1]!r} in unit {key[0]!r} already"
                findings.append(Finding(str(file), 0, "source", problem))
        connections[mapping.connection] = connection_of(mapping, secrets)
    if findings:
        raise MappingRefused(list(dict.fromkeys(findings)))
    return connections


def mapping_files(folder: Path) -> list[Path]:
    """Return the mapping files of a folder; what stands beside them are subscriptions."""
    found = [*folder.glob("*.yaml"), *folder.glob("*.yml")]
    return sorted(path for path in found if not path.name.endswith(".outbox.yaml"))


async def remember(pool: asyncpg.Pool, connections: Iterable[Connection]) -> None:
    """Keep the mappings that are used, so that a digest can be looked up years later.

    Raises:
        MappingRefused: a version was used before with other content.
    """
    findings: list[Finding] = []
    for connection in connections:
        mapping = connection.mapping
        key = connection.name, mapping.version
        await pool.execute(
            "INSERT INTO adapters.mapping (connection, version, digest, content)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            *key,
            mapping.digest,
            mapping.canonical,
        )
        first = await pool.fetchval(
            "SELECT digest FROM adapters.mapping WHERE connection = $1 AND version = $2", *key
        )
        if first != mapping.digest:
            problem = f"version {mapping.version} was used with other content before: raise it"
            findings.append(Finding(connection.name, 0, "version", problem))
    if findings:
        raise MappingRefused(findings)


def missing_secrets(connection: Connection) -> list[str]:
    """Names of the secrets that a connection lacks for receiving."""
    return [name for name in connection.adapter.secrets if not connection.keys(name)]
