"""File names that come from outside and go outside again."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

_MAX_BYTES = 200
# Control, format (turns the reading direction), surrogate, private, unassigned, line and paragraph ends.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Names that Windows gives to devices, with or without an ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(name: str, default: str = "file") -> str:
    """The name without folders, invisible characters, and what Windows or WPS cannot save.

    At most 200 bytes of UTF-8, the ending kept. Never empty.
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    text = _FORBIDDEN.sub("_", text)
    text = " ".join(text.split()).strip(". ")
    if _DEVICE.fullmatch(text):
        text = "_" + text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending.encode()) > 16:
        stem, dot, ending = text, "", ""
    room = _MAX_BYTES - len((dot + ending).encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ")
    return stem + dot + ending if stem else default + dot + ending


def content_disposition(name: str, *, inline: bool = False) -> str:
    """The header for a download (RFC 6266): UTF-8 for today's browsers, an ASCII stand-in for the rest."""
    name = safe_name(name)
    kind = "inline" if inline else "attachment"
    plain = re.sub(r"[^A-Za-z0-9._ -]+", "_", name)
    if plain == name:
        return f'{kind}; filename="{name}"'
    if not re.search(r"[A-Za-z0-9]", plain.rpartition(".")[0] or plain):
        plain = "download" + ("." + plain.rpartition(".")[2] if "." in plain else "")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
