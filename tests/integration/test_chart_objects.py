"""The chart's objects: they find each other, counties are reached, files stay, the notes are right."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from chart_kit import CHART, SETS, containers, environment, manifests, one, pods, render

import xiangyue
from xiangyue.features.accounts.roles import OPERATOR_TEMPLATES


def test_the_scheduler_is_one_and_never_two() -> None:
    for name in SETS:
        spec = one("Deployment", "-scheduler", manifests(name))["spec"]
        assert spec["replicas"] == 1
        assert spec["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", SETS)
def test_selectors_find_their_pods_and_no_others(name: str) -> None:
    objects = manifests(name)
    labels = {component: pod["metadata"]["labels"] for component, pod in pods(objects)}

    def chosen(selector: dict[str, str]) -> set[str]:
        return {component for component, own in labels.items() if selector.items() <= own.items()}

    for found in objects:
        ending = found["metadata"]["name"].rpartition("-")[2]
        if found["kind"] in {"Deployment", "PodDisruptionBudget"}:
            assert chosen(found["spec"]["selector"]["matchLabels"]) == {ending}
        if found["kind"] == "Service":
            assert chosen(found["spec"]["selector"]) == {"web"}
    names = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(set(names)) == len(names)


def test_the_service_leads_to_the_port_that_web_listens_on() -> None:
    objects = manifests()
    (port,) = one("Service", "xiangyue", objects)["spec"]["ports"]
    (own,) = dict(containers(objects))["web"]["ports"]

    assert port == {"name": "http", "port": 80, "targetPort": own["name"]}
    assert str(own["containerPort"]) == environment(objects, "web")["XIANGYUE_PORT"]


def test_counties_answer_under_the_base_domain_and_their_own() -> None:
    spec = one("Ingress", "governance", manifests("full"))["spec"]

    assert [rule["host"] for rule in spec["rules"]] == [
        "governance.example.org",
        "*.governance.example.org",
        "xiangcun.hanyin.example",
        "village.tongyu.example",
    ]
    assert spec["tls"] == [
        {"hosts": ["governance.example.org", "*.governance.example.org"], "secretName": "governance-wildcard"},
        {"hosts": ["xiangcun.hanyin.example"], "secretName": "hanyin-own"},
    ]
    assert spec["ingressClassName"] == "nginx"
    backends = {rule["http"]["paths"][0]["backend"]["service"]["name"] for rule in spec["rules"]}
    assert backends == {one("Service", "governance", manifests("full"))["metadata"]["name"]}
    assert "tls" not in one("Ingress", "xiangyue", manifests())["spec"]
    assert not [found for found in manifests(ingress__enabled=False) if found["kind"] == "Ingress"]


def test_pods_are_counted_by_the_values_or_by_the_autoscaler() -> None:
    assert one("Deployment", "-web", manifests(web__replicas=5))["spec"]["replicas"] == 5
    scaled = manifests("full")
    assert "replicas" not in one("Deployment", "-web", scaled)["spec"]
    target = one("HorizontalPodAutoscaler", "-web", scaled)["spec"]["scaleTargetRef"]
    assert target["name"] == one("Deployment", "-web", scaled)["metadata"]["name"]


def test_stored_files_stay_when_the_release_goes() -> None:
    claim = one("PersistentVolumeClaim", "-files", manifests())
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]

    given = manifests(persistence__existingClaim="ours")
    assert not [found for found in given if found["kind"] == "PersistentVolumeClaim"]
    volumes = [volume for _, pod in pods(given) for volume in pod["spec"]["volumes"] if volume["name"] == "files"]
    assert {volume["persistentVolumeClaim"]["claimName"] for volume in volumes} == {"ours"}


def test_an_account_of_the_namespace_serves_all_pods_also_the_migrations() -> None:
    given = manifests(serviceAccount__create=False, serviceAccount__name="ours")

    assert not [found for found in given if found["kind"] == "ServiceAccount"]
    named = {component: pod["spec"].get("serviceAccountName") for component, pod in pods(given)}
    assert named == {"web": "ours", "worker": "ours", "scheduler": "ours", "migration": "ours", "test": None}
    made = one("ServiceAccount", "xiangyue", manifests())
    assert made["automountServiceAccountToken"] is False


def test_a_fence_lets_in_the_ingress_and_out_to_the_servers() -> None:
    objects = manifests("full")
    everyone = one("NetworkPolicy", "governance", objects)["spec"]
    names, servers = everyone["egress"]

    assert "ingress" not in everyone
    assert everyone["policyTypes"] == ["Ingress", "Egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert [port["port"] for port in servers["ports"]] == [6432, 6380]
    assert servers["to"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    (rule,) = one("NetworkPolicy", "-web", objects)["spec"]["ingress"]
    assert [set(peer) for peer in rule["from"]] == [{"namespaceSelector"}, {"podSelector"}]
    assert not [found for found in manifests() if found["kind"] == "NetworkPolicy"]


def test_a_changed_setting_makes_new_pods() -> None:
    def sums(**changes: Any) -> set[str]:
        return {
            pod["metadata"].get("annotations", {}).get("checksum/settings", "") for _, pod in pods(manifests(**changes))
        }

    assert len(sums() - {""}) == 1
    assert sums() - {""} != sums(settings__poolSize=11) - {""}


def test_the_image_is_the_charts_version_a_tag_or_a_content() -> None:
    def image(**changes: Any) -> set[str]:
        return {container["image"] for _, container in containers(manifests(**changes))}

    version = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"]
    digest = "sha256:" + "0" * 64
    repository = "registry.example.org/xiangyue"
    assert version == xiangyue.__version__
    assert image() == {f"{repository}:{version}"}
    assert image(image__tag="0.1.0-contact321") == {f"{repository}:0.1.0-contact321"}
    assert image(image__tag="x", image__digest=digest) == {f"{repository}@{digest}"}


def test_long_names_still_fit() -> None:
    for found in manifests(fullnameOverride="x" * 63):
        assert len(found["metadata"]["name"]) <= 63


def test_notes_say_how_to_begin() -> None:
    notes = render()["NOTES.txt"]

    assert "https://<slug>.xiangyue.example.org" in notes
    assert f"deploy/{one('Deployment', '-web', manifests())['metadata']['name']}" in notes
    assert any(f"--role {role}" in notes for role in OPERATOR_TEMPLATES)
    assert "WARNING" not in notes
    assert "WARNING: scheme is http" in render(scheme="http")["NOTES.txt"]
