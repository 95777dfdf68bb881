"""The chart: lints, renders with little and with everything, and what it makes is safe and known to Kubernetes."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from dataclasses import fields
from pathlib import Path

import helm_python
import kubernetes_validate
import pytest
from chart_kit import (
    CHART,
    NAMESPACE,
    RELEASE,
    SETS,
    containers,
    environment,
    manifests,
    one,
    pods,
    render,
    value_set,
)
from click.testing import CliRunner

from xiangyue.access.kek import file_provider
from xiangyue.cli import cli
from xiangyue.config import Settings
from xiangyue.jobs.alive import SignOfLife

COMPONENTS = {"web", "worker", "scheduler", "migration", "test"}
NOT_SETTINGS = {"PROMETHEUS_MULTIPROC_DIR": "the metrics library's own variable"}
SECRET = {f"XIANGYUE_{option.name.upper()}" for option in fields(Settings) if option.metadata["secret"]} | {
    "XIANGYUE_DATABASE_URL",
    "XIANGYUE_MIGRATION_DATABASE_URL",
    "XIANGYUE_REDIS_URL",
}


@pytest.mark.parametrize("name", SETS)
def test_lints_without_a_word(name: str) -> None:
    report = helm_python.lint(CHART, value_set(name), strict=True, namespace=NAMESPACE, kube_version="v1.25.0")

    assert report["messages"] == []
    assert report["errors"] == []


def test_every_template_makes_something() -> None:
    rendered = render("full")
    sources = {path.relative_to(CHART / "templates").as_posix() for path in (CHART / "templates").rglob("*.*")}

    assert {path for path in sources if not path.startswith("_")} == set(rendered)
    assert [path for path, text in rendered.items() if not text.strip()] == []


@pytest.mark.parametrize("version", ["1.25", "1.37"])
@pytest.mark.parametrize("name", SETS)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    """Against the schemas of the oldest and the newest version, which refuse fields they do not know."""
    objects = manifests(name)

    for found in objects:
        kubernetes_validate.validate(found, version, strict=True)
    assert len(objects) > 8


def test_a_planted_field_that_kubernetes_does_not_know_is_found() -> None:
    deployment = one("Deployment", "-web", manifests())
    deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]["runAsNobody"] = True

    with pytest.raises(kubernetes_validate.ValidationError, match="runAsNobody"):
        kubernetes_validate.validate(deployment, "1.37", strict=True)


@pytest.mark.parametrize("name", SETS)
def test_every_container_is_confined(name: str) -> None:
    found = dict(containers(manifests(name)))

    assert set(found) == COMPONENTS
    for component, container in found.items():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }, component
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]), component
        assert "memory" in container["resources"]["limits"], component
        assert not container["image"].endswith(":latest")


@pytest.mark.parametrize("name", SETS)
def test_every_pod_is_an_ordinary_user_without_a_token(name: str) -> None:
    for component, pod in pods(manifests(name)):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, component
        assert spec["securityContext"]["runAsUser"] > 0, component
        assert spec["securityContext"]["runAsGroup"] > 0, component
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, component
        assert spec["automountServiceAccountToken"] is False, component
        assert spec["enableServiceLinks"] is False, component
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), component
        assert {kind for volume in spec["volumes"] for kind in volume} <= {
            "name",
            "emptyDir",
            "secret",
            "persistentVolumeClaim",
        }, component


@pytest.mark.parametrize("name", SETS)
def test_what_is_written_lies_on_a_volume(name: str) -> None:
    objects = manifests(name)
    by_component = dict(containers(objects))

    for component in COMPONENTS - {"test"}:
        mounts = {m["mountPath"] for m in by_component[component]["volumeMounts"] if not m.get("readOnly")}
        assert {"/tmp", environment(objects, component)["XIANGYUE_HOME"]} <= mounts, component
    # Stored files outlive a pod and are seen by all pods that read or write them; figures and signs of life are not.
    for component in ("web", "worker"):
        assert "/var/lib/xiangyue/files" in {m["mountPath"] for m in by_component[component]["volumeMounts"]}
    assert environment(objects, "web")["PROMETHEUS_MULTIPROC_DIR"].startswith("/tmp/")


def test_web_begins_when_its_servers_answer_and_stays_while_it_lives() -> None:
    """Pages work while the queue is away and tell when the database is: no reason to take every pod out."""
    web = dict(containers(manifests()))["web"]

    assert web["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert web["startupProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert web["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


@pytest.mark.parametrize("component", ["worker", "scheduler"])
def test_others_are_probed_by_their_sign_of_life(component: str, tmp_path: Path) -> None:
    objects = manifests()
    container = dict(containers(objects))[component]
    home = environment(objects, component)["XIANGYUE_HOME"]
    life = SignOfLife(Settings.load({"XIANGYUE_HOME": str(tmp_path)}), component)

    def healthy(probe: str) -> bool:
        command = [word.replace(home, str(tmp_path)) for word in container[probe]["exec"]["command"]]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert not healthy("startupProbe")
    assert not healthy("livenessProbe")
    life.beat()
    assert healthy("startupProbe")
    assert healthy("livenessProbe")
    long_ago = time.time() - 3600
    os.utime(life.path, (long_ago, long_ago))
    assert not healthy("livenessProbe")


@pytest.mark.parametrize("name", SETS)
def test_every_variable_is_a_setting_with_a_usable_value(name: str) -> None:
    objects = manifests(name)
    known = {f"XIANGYUE_{option.name.upper()}" for option in fields(Settings)} | NOT_SETTINGS.keys()

    for component in COMPONENTS - {"test"}:
        found = environment(objects, component)
        assert set(found) <= known, component
        Settings.load({key: value for key, value in found.items() if isinstance(value, str)})


def test_settings_mean_what_the_values_say() -> None:
    settings = Settings.load({k: v for k, v in environment(manifests(), "web").items() if isinstance(v, str)})

    assert settings.address(f"hanyin.{settings.base_domain}") == "https://hanyin.xiangyue.example.org"
    assert (settings.secure, settings.bind, settings.port, settings.trusted_proxies) == (True, "0.0.0.0", 8000, 1)
    assert settings.max_upload_bytes == 50 * 1024 * 1024
    assert settings.plugins == ("*",)
    assert settings.instance == f"{RELEASE}-xiangyue"


def test_plugins_are_chosen_by_name_or_left_out() -> None:
    assert environment(manifests("full"), "migration")["XIANGYUE_PLUGINS"] == "contact321,moralbank"
    assert environment(manifests(plugins=[]), "web")["XIANGYUE_PLUGINS"] == ""


@pytest.mark.parametrize("name", SETS)
def test_secrets_are_named_and_never_written(name: str) -> None:
    objects = manifests(name)

    assert "Secret" not in {found["kind"] for found in objects}
    for component in COMPONENTS - {"test"}:
        found = environment(objects, component)
        assert {key for key in SECRET & set(found) if not isinstance(found[key], tuple)} == set(), component
        assert isinstance(found["XIANGYUE_DATABASE_URL"], tuple)
        assert isinstance(found["XIANGYUE_REDIS_URL"], tuple)


def test_only_the_migration_knows_the_owning_role() -> None:
    objects = manifests("full")

    having = {c for c in COMPONENTS - {"test"} if "XIANGYUE_MIGRATION_DATABASE_URL" in environment(objects, c)}
    assert having == {"migration"}
    assert environment(objects, "migration")["XIANGYUE_MIGRATION_DATABASE_URL"] == ("governance-owner", "owner-url")
    assert environment(objects, "web")["XIANGYUE_DATABASE_URL"] == ("governance-db", "runtime-url")
    assert environment(objects, "web")["XIANGYUE_METRICS_TOKEN"] == ("governance-metrics", "bearer")
    assert "XIANGYUE_METRICS_TOKEN" not in environment(manifests(), "web")


def test_the_key_encryption_key_is_a_file_that_the_software_takes(tmp_path: Path) -> None:
    objects = manifests("full")
    holders = set()
    for component, pod in pods(objects):
        for volume in (v for v in pod["spec"]["volumes"] if "secret" in v):
            holders.add(component)
            assert volume["secret"]["secretName"] == "governance-keys"
            (item,) = volume["secret"]["items"]
            (mount,) = (m for m in pod["spec"]["containers"][0]["volumeMounts"] if m["name"] == volume["name"])
            named = environment(objects, component)["XIANGYUE_SECRET_KEY_FILE"]
            assert f"{mount['mountPath']}/{item['path']}" == named
            mode = volume["secret"]["defaultMode"]
            assert stat.S_IMODE(mode) == 0o440
            key = tmp_path / component
            key.write_text("A" * 43 + "=\n")
            key.chmod(mode)
            assert file_provider(key, create=False).key_id
    assert holders == {"web", "worker", "scheduler"}


def test_the_migration_runs_first_and_needs_nothing_of_the_release() -> None:
    objects = manifests()
    job = one("Job", "-migrate", objects)
    spec = job["spec"]["template"]["spec"]

    assert job["metadata"]["annotations"] == {
        "helm.sh/hook": "pre-install,pre-upgrade",
        "helm.sh/hook-weight": "0",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    assert spec["restartPolicy"] == "Never"
    assert "serviceAccountName" not in spec
    assert "envFrom" not in spec["containers"][0]
    assert not [volume for volume in spec["volumes"] if "emptyDir" not in volume]
    settings = one("ConfigMap", "xiangyue", objects)["data"]
    assert settings.items() <= environment(objects, "migration").items()


@pytest.mark.parametrize("component", ["worker", "scheduler", "migration"])
def test_commands_are_there(component: str) -> None:
    program, *words = dict(containers(manifests()))[component]["command"]

    assert program == "xiangyue"
    assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0
