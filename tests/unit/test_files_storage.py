"""The local storage: whole files or none, private, and no county reaches another's."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.config import Settings, SettingsError
from xiangyue.errors import NotFound, TooLarge, Unavailable
from xiangyue.files import storage as storage_module
from xiangyue.files.storage import LocalStorage, register_storage, storage


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files")


def everything(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_was_put_comes_back(local: LocalStorage) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)
    blob = local.put(7, io.BytesIO(content))
    assert (blob.size, blob.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert blob.key.startswith("7/")
    with local.open(7, blob.key) as stream:
        stream.seek(3 * 1024 * 1024)
        assert stream.read() == content[3 * 1024 * 1024 :]
    assert local.exists(7, blob.key)


def test_equal_contents_are_separate_files(local: LocalStorage) -> None:
    first, second = (local.put(7, io.BytesIO(b"same")) for _ in range(2))
    assert first.key != second.key
    local.delete(7, first.key)
    assert not local.exists(7, first.key)
    with local.open(7, second.key) as stream:
        assert stream.read() == b"same"


def test_another_county_has_no_such_file(local: LocalStorage) -> None:
    key = local.put(7, io.BytesIO(b"secret of county 7")).key
    for other in (8, 70, 0):
        assert not local.exists(other, key)
        assert list(local.keys(other)) == []
        with pytest.raises(NotFound):
            local.open(other, key)
        with pytest.raises(NotFound):
            local.delete(other, key)
    assert local.exists(7, key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "7",
        "7/",
        "7/../8/ab/x",
        "/etc/passwd",
        "7/ab/../../../../etc/passwd",
        "7/ab/" + "g" * 32,
        "7\x00/ab/" + "a" * 32,
    ],
)
def test_made_up_keys_reach_nothing(local: LocalStorage, key: str) -> None:
    assert not local.exists(7, key)
    with pytest.raises(NotFound):
        local.open(7, key)


@given(st.text())
def test_any_text_as_key_is_unknown(key: str) -> None:
    assert not LocalStorage(Path("/")).exists(7, key)


def test_deleting_twice_is_fine_and_opening_after_is_not_found(local: LocalStorage) -> None:
    key = local.put(7, io.BytesIO(b"x")).key
    local.delete(7, key)
    local.delete(7, key)
    with pytest.raises(NotFound):
        local.open(7, key)


def test_too_large_keeps_nothing(local: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        local.put(7, io.BytesIO(b"x" * 101), max_bytes=100)
    assert everything(tmp_path) == []
    assert local.put(7, io.BytesIO(b"x" * 100), max_bytes=100).size == 100


class Broken(io.RawIOBase):
    """A stream that gives some bytes and then fails, as a connection does that is cut."""

    def __init__(self, error: OSError) -> None:
        self.parts = [b"some bytes"]
        self.error = error

    def read(self, size: int = -1) -> bytes:
        if self.parts:
            return self.parts.pop()
        raise self.error


def test_a_cut_connection_keeps_nothing(local: LocalStorage, tmp_path: Path) -> None:
    stream: BinaryIO = Broken(ConnectionResetError("cut"))  # type: ignore[assignment]
    with pytest.raises(ConnectionResetError):
        local.put(7, stream)
    assert everything(tmp_path) == []


def test_a_full_disk_is_told_to_the_user(local: LocalStorage, tmp_path: Path) -> None:
    stream: BinaryIO = Broken(OSError(errno.ENOSPC, "No space left"))  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        local.put(7, stream)
    assert everything(tmp_path) == []


def test_files_and_folders_are_private(local: LocalStorage, tmp_path: Path) -> None:
    local.put(7, io.BytesIO(b"x"))
    for path in (tmp_path / "files").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_many_at_once(local: LocalStorage) -> None:
    with ThreadPoolExecutor(8) as pool:
        blobs = list(pool.map(lambda n: local.put(7, io.BytesIO(b"%d" % n)), range(50)))
    assert sorted(local.keys(7)) == sorted(blob.key for blob in blobs)


def test_orphans_and_partial_files_are_found_by_age(local: LocalStorage, tmp_path: Path) -> None:
    old, new = (local.put(7, io.BytesIO(b"x")).key for _ in range(2))
    root = tmp_path / "files"
    os.utime(root / old, (0, 0))
    assert list(local.keys(7, older_than=3600)) == [old]
    partial = (root / new).with_suffix(".part")
    partial.write_bytes(b"half")
    assert new in local.keys(7)
    assert partial.relative_to(root).as_posix() not in local.keys(7)
    assert local.sweep_partial(older_than=3600) == 0
    os.utime(partial, (0, 0))
    assert local.sweep_partial(older_than=3600) == 1
    assert not partial.exists()
    assert local.exists(7, new)


def test_settings_choose_the_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = storage(Settings(home=tmp_path))
    key = chosen.put(1, io.BytesIO(b"x")).key
    assert (tmp_path / "files" / key).read_bytes() == b"x"
    monkeypatch.setattr(storage_module, "_backends", dict(storage_module._backends))
    register_storage("elsewhere", lambda settings: LocalStorage(settings.home / "elsewhere"))
    storage(Settings(home=tmp_path, files_backend="elsewhere")).put(1, io.BytesIO(b"y"))
    assert (tmp_path / "elsewhere").exists()
    with pytest.raises(ValueError, match="already registered"):
        register_storage("local", lambda settings: LocalStorage(settings.home))
    with pytest.raises(SettingsError, match="FILES_BACKEND='s3': expected one of elsewhere, local"):
        storage(Settings(home=tmp_path, files_backend="s3"))
