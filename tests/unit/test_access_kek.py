"""Key-encryption keys: made once, guarded, replaceable."""

from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xiangyue.access import kek
from xiangyue.access.kek import (
    KekError,
    KekProvider,
    KeyRing,
    default_key_file,
    environment_provider,
    file_provider,
    kek_provider,
    register_kek_provider,
    rotate_wrapped,
    wrapped_by,
)
from xiangyue.config import Settings, SettingsError

OLD, NEW = b"o" * 32, b"n" * 32


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_first_use_makes_a_private_key_that_later_uses_find(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    first = kek_provider(settings)
    path = default_key_file(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = kek_provider(settings)
    assert isinstance(again, KekProvider)
    assert again.key_id == first.key_id
    assert again.unwrap(first.wrap(b"data key")) == b"data key"
    assert [one.name for one in path.parent.iterdir()] == ["kek"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kek"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: file_provider(path, create=True).key_id, range(16)))
    assert len(set(made)) == 1


def test_a_named_file_that_is_missing_is_an_error_not_a_new_key(tmp_path: Path) -> None:
    path = tmp_path / "mounted" / "kek"
    with pytest.raises(KekError, match=r"does not exist.*openssl rand"):
        kek_provider(Settings(home=tmp_path, secret_key_file=str(path)))
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644, 0o666])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "kek"
    path.write_text(text(OLD))
    path.chmod(mode)
    with pytest.raises(KekError, match=f"open to others .mode {mode:o}.; chmod 600"):
        file_provider(path, create=False)


def test_a_key_readable_by_its_group_is_fine_as_clusters_mount_them(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    path.write_text(f"# made 2026-11-21\n{text(OLD)}  # the first\n\n")
    path.chmod(0o440)
    assert file_provider(path, create=False).key_id == KeyRing([OLD], source="x").key_id


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no key"),
        (b"not base64!", "not base64"),
        (base64.b64encode(b"short"), "key of 5 bytes"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_unusable_contents_are_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "kek"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KekError, match=reason) as caught:
        file_provider(path, create=False)
    assert str(path) in str(caught.value)


def test_a_folder_in_its_place_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KekError, match="cannot be read"):
        file_provider(tmp_path, create=True)


def test_environment_keys_win_when_given(tmp_path: Path) -> None:
    settings = Settings.load({"XIANGYUE_KEK": f"{text(NEW)}, {text(OLD)}"}, home=tmp_path)
    assert kek_provider(settings).key_id == KeyRing([NEW], source="x").key_id
    assert text(NEW) not in repr(settings)
    assert not default_key_file(settings).exists()
    with pytest.raises(KekError, match="XIANGYUE_KEK is empty"):
        kek_provider(Settings(home=tmp_path, kek_provider="environment"))


def test_rotation_moves_wrapped_keys_to_the_key_in_front() -> None:
    old = environment_provider(text(OLD))
    wrapped = old.wrap(b"a county's keys")
    both = environment_provider(f"{text(NEW)},{text(OLD)}")
    rotated = rotate_wrapped(both, wrapped)
    only_new = environment_provider(text(NEW))
    assert only_new.unwrap(rotated) == b"a county's keys"
    assert wrapped_by(wrapped) == old.key_id
    assert wrapped_by(rotated) == only_new.key_id
    with pytest.raises(KekError, match=f"wrapped by key {old.key_id}, but XIANGYUE_KEK holds {only_new.key_id}"):
        only_new.unwrap(wrapped)


def test_altered_wrapped_keys_are_refused() -> None:
    ring = KeyRing([OLD], source="test")
    wrapped = ring.wrap(b"secret")
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(KekError):
            ring.unwrap(bytes(changed))
    for length in range(len(wrapped)):
        with pytest.raises(KekError):
            ring.unwrap(wrapped[:length])


def test_further_providers_register_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kek, "_providers", dict(kek._providers))
    register_kek_provider("county-kms", lambda _settings: KeyRing([os.urandom(32)], source="kms"))
    assert "kms" in repr(kek_provider(Settings(home=tmp_path, kek_provider="county-kms")))
    with pytest.raises(ValueError, match="already registered"):
        register_kek_provider("file", lambda _settings: KeyRing([OLD], source="x"))
    with pytest.raises(SettingsError, match=r"KEK_PROVIDER='vault': expected one of county-kms, environment, file"):
        kek_provider(Settings(home=tmp_path, kek_provider="vault"))
