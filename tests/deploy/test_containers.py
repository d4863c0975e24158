"""The image, compose and Kubernetes files of deploy/: read as their engines would, without one."""

from __future__ import annotations

import json
import re
import shlex
from fnmatch import fnmatch
from itertools import takewhile
from typing import Any

import pytest

from aiowsgi.kinds import duration, size
from tests.deploy.reading import DEPLOY, config, documents, text
from tests.examples.running import ROOT

INSTRUCTIONS = set(
    "FROM RUN COPY ENV WORKDIR USER EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD ARG LABEL".split()
)


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments, in order; lines that go on are joined, comments left out."""
    lines = [line for line in text("Dockerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(name, arguments) for name, arguments in parts]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, arguments in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, arguments))
    return found


def only(name: str) -> str:
    """The arguments of an instruction that the image has once."""
    [arguments] = [words for instruction, words in stages()[-1] if instruction == name]
    return arguments


def entrypoint() -> list[str]:
    first, *words = json.loads(only("ENTRYPOINT"))
    assert first == "aiowsgi"
    return [str(word) for word in words]


# -- the image --


def test_the_dockerfile_has_instructions_that_exist_and_begins_with_from() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS
    assert instructions()[0][0] == "FROM"


def test_what_it_copies_is_there_and_is_not_ignored() -> None:
    patterns = [
        line.removeprefix("!")
        for line in text("Dockerfile.dockerignore").splitlines()
        if line.startswith("!")
    ]
    for name, arguments in instructions():
        *sources, _ = shlex.split(arguments)
        if name == "COPY" and not sources[0].startswith("--from="):
            assert [source for source in sources if not (ROOT / source).exists()] == []
            assert [s for s in sources if not any(fnmatch(s, p) for p in patterns)] == []


def test_what_building_the_wheel_reads_is_copied() -> None:
    copied = {word for name, words in stages()[0] if name == "COPY" for word in words.split()}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [readme] = re.findall(r'^readme = "(.*)"', project, re.MULTILINE)
    [license_file] = re.findall(r'^license-files = \["(.*)"\]', project, re.MULTILINE)
    assert {"pyproject.toml", "hatch_build.py", "aiowsgi", readme, license_file} <= copied


def test_the_image_runs_as_nobody_special_and_ends_by_term() -> None:
    assert int(only("USER")) > 0
    assert only("STOPSIGNAL") == "SIGTERM"
    names = [name for name, _ in stages()[-1]]
    assert names.index("USER") < names.index("ENTRYPOINT")


def test_its_command_is_one_of_ours_on_the_port_that_it_exposes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = config([*entrypoint(), *json.loads(only("CMD"))], monkeypatch)
    [bind] = told.binds
    assert str(bind) == f"0.0.0.0:{only('EXPOSE')}"


def test_its_health_check_asks_the_health_path() -> None:
    path = entrypoint()[entrypoint().index("--health-path") + 1]
    check = json.loads(only("HEALTHCHECK").partition(" CMD ")[2])
    assert check[0] == "python"
    compile(check[2], "HEALTHCHECK", "exec")
    assert f"http://127.0.0.1:{only('EXPOSE')}{path}'" in check[2]


# -- compose --


def test_compose_builds_the_image_and_starts_it_with_words_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [compose] = documents("compose.yaml")
    app = compose["services"]["app"]
    assert (DEPLOY / app["build"]["context"] / app["build"]["dockerfile"]).is_file()
    told = config([*entrypoint(), *app["command"]], monkeypatch)
    assert told.graceful_timeout is not None
    seconds = duration().read(app["stop_grace_period"])
    assert seconds > told.graceful_timeout + told.shutdown_delay
    [network] = compose["networks"]["inside"]["ipam"]["config"]
    assert told.forwarded_allow_ips == (network["subnet"],)


def test_compose_gives_nginx_its_file_when_the_application_is_healthy() -> None:
    [compose] = documents("compose.yaml")
    nginx = compose["services"]["nginx"]
    source, _, mode = nginx["volumes"][0].split(":")
    assert (DEPLOY / source).is_file()
    assert mode == "ro"
    assert nginx["depends_on"]["app"]["condition"] == "service_healthy"
    upstream = f"app:{only('EXPOSE')}"
    assert f"server {upstream} " in text("nginx/shop.conf")
    for service in compose["services"].values():
        assert set(service["networks"]) <= compose["networks"].keys()


# -- Kubernetes --


def deployment() -> dict[str, Any]:
    return next(each for each in documents("kubernetes/shop.yaml") if each["kind"] == "Deployment")


def container() -> dict[str, Any]:
    [found] = deployment()["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_each_kind_is_of_its_api_and_means_the_same_pods() -> None:
    kinds = {each["kind"]: each for each in documents("kubernetes/shop.yaml")}
    assert {kind: each["apiVersion"] for kind, each in kinds.items()} == {
        "Deployment": "apps/v1",
        "Service": "v1",
        "PodDisruptionBudget": "policy/v1",
    }
    labels = kinds["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert kinds["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert kinds["Service"]["spec"]["selector"] == labels
    assert kinds["Service"]["spec"]["ports"][0]["targetPort"] == container()["ports"][0]["name"]


def test_a_pod_runs_the_image_with_words_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert container()["ports"][0]["containerPort"] == int(only("EXPOSE"))
    told = config([*entrypoint(), *container()["args"]], monkeypatch)
    assert told.threads == 16


def test_probes_ask_the_health_path_and_readiness_asks_whether_it_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = config([*entrypoint(), *container()["args"]], monkeypatch)
    probes = {name: container()[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {
        "startup": told.health_path,
        "liveness": told.health_path,
        "readiness": f"{told.health_path}?ready",
    }
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {"http"}


def test_a_pod_serves_on_until_readiness_has_failed_and_is_not_killed_before_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """--shutdown-delay does what a preStop hook would: there is not both."""
    told = config([*entrypoint(), *container()["args"]], monkeypatch)
    probe = container()["readinessProbe"]
    assert told.shutdown_delay > probe["periodSeconds"] * probe["failureThreshold"]
    assert "lifecycle" not in container()
    assert told.graceful_timeout is not None
    grace = deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > told.shutdown_delay + told.graceful_timeout


def test_a_pod_has_room_for_its_spools(monkeypatch: pytest.MonkeyPatch) -> None:
    told = config([*entrypoint(), *container()["args"]], monkeypatch)
    pod = deployment()["spec"]["template"]["spec"]
    [volume], [mount] = pod["volumes"], container()["volumeMounts"]
    assert (volume["name"], mount["mountPath"]) == (mount["name"], "/tmp")
    assert told.spool_disk is not None
    assert told.spool_memory is not None
    assert in_bytes(volume["emptyDir"]["sizeLimit"]) > told.spool_disk
    assert in_bytes(container()["resources"]["limits"]["memory"]) > told.spool_memory


def in_bytes(quantity: str) -> int:
    digits = "".join(takewhile(str.isdigit, quantity))
    return int(size().read(f"{digits}{quantity[len(digits)].lower()}"))
