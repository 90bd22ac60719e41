"""What stands in deploy/ is valid, locked down, and speaks of settings that there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import settings_page
from bot.config import Settings, variable

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = sorted(DEPLOY.glob("compose*.yaml"))
OURS = "plotline-bot:latest"
ROLES = {"all", "gateway", "worker"}
OF_LIBRARIES = re.compile(r"AWS_\w+|DOCKER_(HOST|TLS_VERIFY|CERT_PATH)|HTTPS_PROXY|NO_PROXY|SSL_CERT_FILE")


def of_kubernetes() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in of_kubernetes() if each["kind"] == kind}


def bots(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        if service["image"] == OURS:
            yield name, service


def is_known(name: str) -> bool:
    settings = {variable(field) for field in Settings.model_fields}
    secrets = {f"{each}_FILE" for each in settings}
    return name in settings | secrets or bool(OF_LIBRARIES.fullmatch(name))


def check_command(command: list[str]) -> None:
    assert command[0] == "serve"
    if len(command) > 1:
        assert command[1] == "--role"
        assert command[2] in ROLES


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_each_bot_in_compose_is_locked_down(file: Path) -> None:
    found = dict(bots(file))
    assert found
    for service in found.values():
        check_command(service["command"])
        assert service["read_only"] is True
        assert service["user"].partition(":")[0] not in {"", "0", "root"}
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        assert "/readyz" in service["healthcheck"]["test"][-1]
        assert int(service["stop_grace_period"].rstrip("s")) > 20


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_compose_names_settings_secrets_and_volumes_that_are_there(file: Path) -> None:
    whole = yaml.safe_load(file.read_text())
    for name, service in bots(file):
        unknown = [each for each in service["environment"] if not is_known(each)]
        assert not unknown, (name, unknown)
        for secret in re.findall(r"/run/secrets/(\w+)", str(service["environment"])):
            assert secret in service["secrets"]
    for service in whole["services"].values():
        assert set(service.get("secrets", ())) <= set(whole["secrets"])
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith(("/", ".")) or source in whole["volumes"]
        for other in service.get("depends_on", ()):
            assert other in whole["services"]


def test_no_secret_stands_in_an_environment() -> None:
    text = "".join(file.read_text() for file in COMPOSE)

    assert not re.search(r"(API_KEY|TOKEN|PASSWORD|DATABASE_URL): (?!\"(\$|/run/secrets))", text)


def test_every_object_of_kubernetes_has_what_any_has() -> None:
    for each in of_kubernetes():
        assert each["apiVersion"]
        assert each["kind"]
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", each["metadata"]["name"])


@pytest.mark.parametrize("name", sorted(named("Deployment")))
def test_each_deployment_is_locked_down_and_probed(name: str) -> None:
    template = named("Deployment")[name]["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    check_command(container["args"])
    assert named("Deployment")[name]["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any("hostPath" in volume for volume in pod["volumes"])
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    (port,) = container["ports"]
    assert str(port["containerPort"]) == named("ConfigMap")["plotline"]["data"]["HEALTH_PORT"]


def test_kubernetes_names_settings_and_secrets_that_are_there() -> None:
    secrets = {name: each["stringData"] for name, each in named("Secret").items()}
    configured = named("ConfigMap")["plotline"]["data"]
    assert [name for name in configured if not is_known(name)] == []
    for deployment in named("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        for variable_ in pod["containers"][0]["env"]:
            assert is_known(variable_["name"]), variable_
            reference = variable_.get("valueFrom", {}).get("secretKeyRef")
            assert reference is None or reference["key"] in secrets[reference["name"]]
        assert {each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each} <= set(secrets)
    for path in re.findall(r"/run/secrets/plotline/(\w+)", str(configured)):
        assert path in secrets["plotline"]


def test_only_workers_reach_an_engine_and_over_tls_both_ways() -> None:
    for name, deployment in named("Deployment").items():
        variables = {
            each["name"]: each.get("value")
            for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        }
        if "gateway" in name:
            assert "DOCKER_HOST" not in variables
        else:
            assert variables["DOCKER_HOST"].startswith("tcp://")
            assert variables["DOCKER_TLS_VERIFY"] == "1"
            assert variables["DOCKER_CERT_PATH"] == "/run/secrets/engine"
    assert set(named("Secret")["plotline-engine"]["stringData"]) == {"ca.pem", "cert.pem", "key.pem"}


def test_settings_that_deployments_use_are_described() -> None:
    page = settings_page.page()

    assert all(f"`{name}`" in page for name in ("HEALTH_PORT", "HEALTH_HOST", "DATABASE_URL", "FILES_URL"))
