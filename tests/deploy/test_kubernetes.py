"""The manifests: valid by Kubernetes' own schemas, locked down, and complete as a set."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from tests.deploy.files import ADAPTER_SETTINGS, DEPLOY, SETTINGS, document, text

KUSTOMIZE = DEPLOY / "kustomize"
BASE = KUSTOMIZE / "base"
EXAMPLE = KUSTOMIZE / "overlays" / "example"
NEWEST = kubernetes_validate.latest_version()
RESOURCES = [BASE / name for name in document(BASE / "kustomization.yaml")["resources"]]
ADAPTERS = KUSTOMIZE / "components" / "adapters"
OF_ADAPTERS = [ADAPTERS / name for name in document(ADAPTERS / "kustomization.yaml")["resources"]]


def pod(name: str) -> dict[str, Any]:
    """The pod of a manifest of the base, or of the component `adapters/`."""
    spec = document(KUSTOMIZE / "components" / name if "/" in name else BASE / name)["spec"]
    template = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
    found: dict[str, Any] = template["spec"]
    return found


PODS = ("deployment.yaml", "migrate.yaml", "verify.yaml")
ADAPTER_PODS = ("adapters/deployment.yaml", "adapters/migrate.yaml")


@pytest.mark.parametrize("path", [*RESOURCES, *OF_ADAPTERS], ids=lambda path: path.name)
def test_a_manifest_is_valid(path: Path) -> None:
    kubernetes_validate.validate(document(path), NEWEST, strict=True)


def test_no_manifest_of_the_base_is_forgotten() -> None:
    for folder, resources in ((BASE, RESOURCES), (ADAPTERS, OF_ADAPTERS)):
        found = {path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml"}
        assert found == set(resources)


@pytest.mark.parametrize(
    "folder", [EXAMPLE, KUSTOMIZE / "components" / "service-monitor", ADAPTERS]
)
def test_what_a_kustomization_names_exists(folder: Path) -> None:
    kustomization = document(folder / "kustomization.yaml")
    named = kustomization.get("resources", []) + kustomization.get("components", [])
    named += [patch["path"] for patch in kustomization.get("patches", [])]
    assert named
    assert not [name for name in named if not (folder / name).exists()]


def test_every_patch_of_the_overlay_has_something_to_change() -> None:
    here = {(document(path)["kind"], document(path)["metadata"]["name"]) for path in RESOURCES}
    for patch in document(EXAMPLE / "kustomization.yaml")["patches"]:
        change = document(EXAMPLE / patch["path"])
        assert (change["kind"], change["metadata"]["name"]) in here


def test_with_tls_each_probe_is_replaced_by_one_that_speaks_it() -> None:
    (container,) = pod("deployment.yaml")["containers"]
    change = document(EXAMPLE / "tls.yaml")["spec"]["template"]["spec"]["containers"][0]
    assert change["name"] == container["name"]
    probes = {name for name in container if name.endswith("Probe")}
    assert probes == {"startupProbe", "readinessProbe", "livenessProbe"}
    for probe in probes:
        assert "grpc" in change[probe]
        assert change[probe]["grpc"] is None
        assert change[probe]["exec"]["command"] == ["python", "-m", "server.health"]


@pytest.mark.parametrize("name", [*PODS, *ADAPTER_PODS])
def test_a_pod_may_do_nothing_that_it_need_not(name: str) -> None:
    spec = pod(name)
    user = re.search(r"^USER (\d+):", text(DEPLOY / "Dockerfile"), re.MULTILINE)
    assert user
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(user[1])
    for container in spec["containers"]:
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", [*PODS, *ADAPTER_PODS])
def test_a_pod_is_given_only_settings_that_exist(name: str) -> None:
    # Kubernetes would add LOYALTY_… variables of its own.
    assert pod(name)["enableServiceLinks"] is False
    for container in pod(name)["containers"]:
        named = {variable["name"] for variable in container["env"]}
        assert named <= SETTINGS | ADAPTER_SETTINGS


def test_only_the_migration_logs_in_as_the_owner() -> None:
    def login(name: str) -> str:
        (secrets,) = (volume for volume in pod(name)["volumes"] if "secret" in volume)
        found: str = secrets["secret"]["secretName"]
        return found

    assert [login(name) for name in PODS] == ["loyalty-service", "loyalty-owner", "loyalty-service"]


def test_the_drain_ends_before_kubernetes_loses_patience() -> None:
    settings = dict(line.split("=", 1) for line in text(BASE / "settings.env").split())
    spec = pod("deployment.yaml")
    before = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    delay = int(settings.get("LOYALTY_DRAIN_DELAY_SECONDS", "0"))
    grace = int(settings["LOYALTY_DRAIN_GRACE_SECONDS"])
    assert before + delay + grace + 5 <= spec["terminationGracePeriodSeconds"]


def test_probes_and_services_ask_at_the_ports_that_the_service_listens_on() -> None:
    settings = dict(line.split("=", 1) for line in text(BASE / "settings.env").split())
    (container,) = pod("deployment.yaml")["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert settings["LOYALTY_LISTEN"].endswith(f":{ports['grpc']}")
    assert settings["LOYALTY_METRICS_LISTEN"].endswith(f":{ports['metrics']}")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["grpc"]["port"] == ports["grpc"]
    service = document(BASE / "service.yaml")["spec"]
    assert {port["targetPort"] for port in service["ports"]} == set(ports)


def test_the_adapters_are_asked_at_the_ports_that_they_listen_on() -> None:
    (container,) = pod("adapters/deployment.yaml")["containers"]
    settings = {variable["name"]: variable["value"] for variable in container["env"]}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert settings["LOYALTY_ADAPTERS_LISTEN"].endswith(f":{ports['hooks']}")
    assert settings["LOYALTY_ADAPTERS_METRICS_LISTEN"].endswith(f":{ports['metrics']}")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == ports["hooks"]
    service = document(ADAPTERS / "service.yaml")["spec"]
    assert {port["targetPort"] for port in service["ports"]} == set(ports)
    ledger = document(BASE / "service.yaml")
    assert settings["LOYALTY_ADAPTERS_LEDGER"] == f"{ledger['metadata']['name']}:7070"
