"""Reading ``tenant.toml``: plain values, and the line on which each key and list item stands.

``tomllib`` parses but forgets positions, so ``locate`` walks the text once more. It may rely on the text
being valid TOML, which keeps it short.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xiangyue.i18n import _
from xiangyue.tenancy.profile_problems import ProfileErrors, ProfileProblem

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# Longest quotes first: a text may begin with three.
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\r\n]+")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_AT_END = " (at end of document)"

Step = str | int
Path_ = tuple[Step, ...]


def read_toml(file: Path, shown: str) -> tuple[dict[str, Any], TomlLines]:
    """Values and lines of a TOML file. Raises ProfileErrors (naming the file ``shown``) for a missing file,
    text that is not UTF-8, and syntax errors.
    """
    text = read_text(file, shown)
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers too long and lists too deep
        message, line = str(error), 0
        if found := _AT_LINE.search(message):
            line, message = int(found.group(1)), message[: found.start()]
        elif message.endswith(_AT_END):
            line, message = text.rstrip("\n").count("\n") + 1, message.removesuffix(_AT_END)
        problem = ProfileProblem(shown, line, "", _("not valid TOML: %(detail)s", detail=message))
        raise ProfileErrors([problem]) from error
    return values, TomlLines(locate(text))


def read_text(file: Path, shown: str) -> str:
    """A UTF-8 file's text, a byte order mark dropped. Raises ProfileErrors naming the encoding when it is
    another.
    """
    try:
        raw = file.read_bytes()
    except FileNotFoundError as error:
        raise ProfileErrors([ProfileProblem(shown, 0, "", _("the file is missing"))]) from error
    except OSError as error:
        detail = error.strerror or str(error)
        message = _("the file cannot be read: %(detail)s", detail=detail)
        raise ProfileErrors([ProfileProblem(shown, 0, "", message)]) from error
    return text_of(raw, shown)


def text_of(raw: bytes, shown: str) -> str:
    """The text of UTF-8 bytes, a byte order mark dropped. Raises ProfileErrors naming any other encoding."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ProfileErrors([ProfileProblem(shown, line, "", *_wrong_encoding(raw))]) from error


def _wrong_encoding(raw: bytes) -> tuple[str, str]:
    suggestion = _("save it as UTF-8; in Excel or WPS choose the type 'CSV UTF-8'")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _("the file is UTF-16, expected UTF-8"), suggestion
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return _("the file is not UTF-8 text"), suggestion
    return _("the file is GB18030 (GBK), expected UTF-8"), suggestion


class TomlLines:
    """Lines of key paths. A path not in the file answers with its nearest parent's line, at last 1."""

    def __init__(self, lines: Mapping[Path_, int]) -> None:
        self._lines = lines

    def __getitem__(self, path: Path_) -> int:
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 1


def dotted(path: Path_) -> str:
    """``("roles", "town", "permissions", 1)`` -> ``roles.town.permissions[1]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def locate(text: str) -> dict[Path_, int]:
    """The line (from 1) of every key, table header and list item in ``text``, which must be valid TOML."""
    return _Walker(text.replace("\r\n", "\n")).walk()


class _Walker:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path_, int] = {}
        self.table_arrays: dict[Path_, int] = {}

    def walk(self) -> dict[Path_, int]:
        table: Path_ = ()
        self._skip(_GAP)
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text.startswith("[", self.at):
                table = self._header(1)
            else:
                self._pair(table)
            self._skip(_GAP)
        return self.lines

    def _header(self, brackets: int) -> Path_:
        line = self._line()
        self.at += brackets
        keys = self._keys()
        self.at += brackets
        name = self._through_arrays(keys[:-1], line) + keys[-1:]
        if brackets == 2:
            self.lines.setdefault(name, line)
            index = self.table_arrays[name] = self.table_arrays.get(name, -1) + 1
            name = (*name, index)
        self.lines.setdefault(name, line)
        return name

    def _through_arrays(self, keys: Path_, line: int) -> Path_:
        """``[a.b]`` under ``[[a]]`` means the last item of ``a``."""
        path: Path_ = ()
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self.table_arrays:
                path = (*path, self.table_arrays[path])
        return path

    def _pair(self, table: Path_) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the sign =
        self._skip(_BLANK)
        self._value(path)

    def _keys(self) -> Path_:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            if found := _BARE.match(self.text, self.at):
                keys.append(found.group())
            else:
                found = self._need(_TEXT)
                keys.append(str(tomllib.loads(f"k = {found.group()}")["k"]))
            self.at = found.end()
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return tuple(keys)
            self.at += 1

    def _value(self, path: Path_) -> None:
        mark = self.text[self.at]
        if mark == "[":
            self._items(path)
        elif mark == "{":
            self._inline(path)
        else:
            self.at = self._need(_TEXT if mark in "\"'" else _PLAIN).end()

    def _items(self, path: Path_) -> None:
        self.at += 1
        index = 0
        while not self._closes("]"):
            self.lines[(*path, index)] = self._line()
            self._value((*path, index))
            index += 1

    def _inline(self, path: Path_) -> None:
        self.at += 1
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, mark: str) -> bool:
        """Step over blanks and one comma; true (and past it) at the closing mark."""
        self._skip(_GAP)
        if self.text.startswith(",", self.at):
            self.at += 1
            self._skip(_GAP)
        if self.text.startswith(mark, self.at):
            self.at += 1
            return True
        return False

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self.at = self._need(pattern).end()

    def _need(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"not valid TOML at character {self.at}")
        return found

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1
