"""``python -m xiangyue.local.browser``: make sure that browser tests find Chromium and a Chinese font."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from xiangyue.local.problems import LocalServerError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_FONT_WORDS = ("cjk", "sourcehan", "source-han", "wqy", "simsun", "msyh", "pingfang")
PACKAGES = {"browser": "chromium", "font": "fonts-noto-cjk"}


def find_chromium() -> Path | None:
    """The machine's Chromium or Chrome, or None."""
    for name in _NAMES:
        for candidate in (f"/usr/bin/{name}", shutil.which(name)):
            if candidate and os.access(candidate, os.X_OK):
                return Path(candidate)
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    return mac if mac.exists() else None


def has_chinese_font() -> bool:
    """Whether a font with Chinese glyphs is installed; without one pages show boxes."""
    if sys.platform != "linux":
        return True
    for folder in _FONT_FOLDERS:
        for path in Path(folder).expanduser().rglob("*.[to]t[cf]"):
            if any(word in path.name.lower() for word in _FONT_WORDS):
                return True
    return False


def missing() -> list[str]:
    """Names of the Debian packages that would bring what is missing."""
    lacking = []
    if find_chromium() is None:
        lacking.append(PACKAGES["browser"])
    if not has_chinese_font():
        lacking.append(PACKAGES["font"])
    return lacking


def ensure() -> None:
    """Install what is missing (root with apt), or raise LocalServerError saying what to install."""
    lacking = missing()
    if not lacking:
        return
    command = f"apt-get install {' '.join(lacking)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise LocalServerError(
            f"The browser tests need Chromium and a Chinese font. Missing: {', '.join(lacking)}. "
            f"As root on Debian or Ubuntu: {command}"
        )
    print(f"Installing {', '.join(lacking)} for the browser tests …", flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *lacking]):
        done = subprocess.run(["apt-get", *arguments], env=environ, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise LocalServerError(f"apt-get {arguments[0]} failed, see above. Install by hand: {command}")
    if missing():
        raise LocalServerError(f"Still missing after the installation: {', '.join(missing())}")


def main() -> int:
    try:
        ensure()
    except LocalServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
