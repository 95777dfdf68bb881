"""Sets up a checkout: ``python core/xiangyue/local/bootstrap.py setup`` (``make setup``) and ``… lock``.

Runs on the machine's own Python 3.11+ before anything is installed, so it uses the standard library only.
Stamps in the environment make a second run take no time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
IMAGE_LOCK = ROOT / "requirements-image.lock"


class SetupError(Exception):
    """The machine lacks something; the text says what to install."""


def setup() -> None:
    """The environment from the lock, then our own distributions in place."""
    if not _works(PYTHON):
        _make_environment(VENV)
    _stamped("locked", [LOCK], _install_locked)
    projects = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    _stamped("own", [project / "pyproject.toml" for project in projects], lambda: _install_own(projects))


def lock() -> None:
    """Rewrite requirements.lock from requirements.in and -dev.in, keeping versions that still fit.

    Then requirements-image.lock, the part of it that the container image installs.
    """
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder) / "venv"
        _make_environment(tools)
        _run([tools / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"])
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
        options += ["--no-emit-index-url", "--no-emit-find-links", "--quiet"]
        options += ["--upgrade"] if "--upgrade" in sys.argv else []
        uv: list[str | Path] = [tools / "bin" / "uv", "pip", "compile"]
        _run([*uv, "requirements-dev.in", "-o", LOCK.name, *options])
        _run([*uv, "requirements-image.in", "-c", LOCK.name, "-o", IMAGE_LOCK.name, *options])


def _install_locked() -> None:
    print("Installing the packages of requirements.lock (first time, or it changed) …", flush=True)
    _pip("install", "--quiet", "--require-hashes", "-r", str(LOCK))


def _install_own(projects: list[Path]) -> None:
    editable = [argument for project in projects for argument in ("-e", str(project))]
    # Nothing may come from elsewhere here: dependencies and the build tool are in the lock.
    _pip("install", "--quiet", "--no-deps", "--no-build-isolation", *editable)


def _pip(*arguments: str) -> None:
    # Beside a root user's environment pip would warn of file ownership, which is as intended here.
    environ = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    _run([PYTHON, "-m", "pip", *arguments], environ)


def _stamped(name: str, inputs: Iterable[Path], work: Callable[[], None]) -> None:
    digest = hashlib.sha256(sys.version.encode())
    for path in inputs:
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    stamp = VENV / f".xiangyue-{name}"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    work()
    stamp.write_text(digest.hexdigest())


def _works(python: Path) -> bool:
    """Whether the environment is there, its Python still exists, and pip is in it."""
    if not python.exists():
        return False
    check = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def _make_environment(folder: Path) -> None:
    """A virtual environment with pip, also where the system's Python comes without ensurepip (Debian)."""
    create = [sys.executable, "-m", "venv", "--clear", str(folder)]
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        _run(create)
        return
    if importlib.util.find_spec("venv") and importlib.util.find_spec("pip"):
        _run([*create, "--without-pip"])
        target = folder / "bin" / "python"
        _run([sys.executable, "-m", "pip", "--python", str(target), "install", "--quiet", "pip"])
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"This Python has no venv module; installing {package} …", flush=True)
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"], environ)
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], environ)
        _run(create)
        return
    raise SetupError(
        f"{sys.executable} cannot make virtual environments (it lacks venv or ensurepip). On Debian or "
        f"Ubuntu: apt-get install {package}. Or name another Python: make PYTHON=/path/to/python3.12 setup"
    )


def _run(command: Sequence[str | Path], environ: dict[str, str] | None = None) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, env=environ, check=False)
    if done.returncode != 0:
        raise SetupError(f"This failed (exit status {done.returncode}), see above: {' '.join(words)}")


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs it may have an older one
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    actions = {"setup": setup, "lock": lock}
    action = actions.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if action is None:
        print(f"usage: bootstrap.py {' | '.join(actions)} [--upgrade]", file=sys.stderr)
        return 2
    try:
        action()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
