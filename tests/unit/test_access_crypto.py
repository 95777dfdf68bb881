"""Encrypted values open only for their county and column; keys travel wrapped."""

from __future__ import annotations

import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.access import crypto
from xiangyue.access.crypto import (
    AES_GCM,
    SM4_GCM,
    CryptoError,
    TenantKeys,
    blind_index,
    column_context,
    decrypt,
    decrypt_text,
    encrypt,
    needs_reencryption,
    new_tenant_keys,
    sealer,
    unwrap_keys,
    with_new_data_key,
    wrap_keys,
)
from xiangyue.access.kek import KekError, KeyRing

HERE = new_tenant_keys()
THERE = new_tenant_keys()
ID_NUMBER = column_context(1, "person.id_number")
PHONE = column_context(1, "person.phone")
KEK = KeyRing([b"k" * 32], source="test")


@given(st.text(max_size=300), st.sampled_from([AES_GCM, SM4_GCM]))
def test_what_was_encrypted_comes_back(text: str, algorithm: int) -> None:
    keys = TenantKeys(HERE.data_key, HERE.index_key, algorithm=algorithm)
    value = encrypt(keys, text, ID_NUMBER)
    assert decrypt_text(keys, value, ID_NUMBER) == text
    assert len(value) == len(text.encode()) + 33
    assert value[0] == algorithm
    # Reading follows the value, not the setting.
    assert decrypt_text(HERE, value, ID_NUMBER) == text


@given(st.binary(max_size=100))
def test_bytes_come_back_and_no_two_values_are_equal(plain: bytes) -> None:
    first, second = encrypt(HERE, plain, PHONE), encrypt(HERE, plain, PHONE)
    assert first != second
    assert decrypt(HERE, first, PHONE) == decrypt(HERE, second, PHONE) == plain


@given(st.text(min_size=1), st.text(min_size=1), st.integers(1, 9999), st.integers(1, 9999))
def test_another_column_or_county_number_does_not_open_it(a: str, b: str, here: int, there: int) -> None:
    made, asked = (column_context(here, a), column_context(there, b))
    value = encrypt(HERE, "610921199001011234", made)
    if made == asked:
        assert (a, here) == (b, there)
    else:
        with pytest.raises(CryptoError, match="another county or column"):
            decrypt(HERE, value, asked)


def test_another_countys_keys_do_not_open_it() -> None:
    with pytest.raises(CryptoError, match="does not hold"):
        decrypt(THERE, encrypt(HERE, "x", PHONE), PHONE)


@given(st.data())
def test_one_altered_bit_is_noticed(data: st.DataObject) -> None:
    value = bytearray(encrypt(HERE, "13800000000", PHONE))
    value[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CryptoError):
        decrypt(HERE, bytes(value), PHONE)


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_refused_with_a_reason(value: bytes) -> None:
    with pytest.raises(CryptoError, match=r"cut short|unknown algorithm|does not hold"):
        decrypt(HERE, value, PHONE)


def test_a_sealer_encrypts_many_values_as_one_is_encrypted() -> None:
    seal = sealer(HERE, ID_NUMBER)
    values = [seal("610921198001011234") for _ in range(1000)]
    assert {decrypt_text(HERE, value, ID_NUMBER) for value in values} == {"610921198001011234"}
    assert len({value[5:17] for value in values}) == len(values), "a nonce came twice"
    with pytest.raises(CryptoError):
        decrypt(HERE, seal("x"), PHONE)


def test_a_sealer_does_not_go_along_into_a_forked_process() -> None:
    seal = sealer(HERE, ID_NUMBER)
    seal("one nonce is used, others are drawn already")
    child = os.fork()
    if not child:
        try:
            seal("x")
        except CryptoError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_keys_survive_wrapping_and_belong_to_one_county() -> None:
    keys = with_new_data_key(new_tenant_keys(SM4_GCM))
    wrapped = wrap_keys(KEK, 7, keys)
    assert unwrap_keys(KEK, 7, wrapped) == keys
    assert keys.data_key not in wrapped
    assert keys.index_key not in wrapped
    with pytest.raises(CryptoError, match="belong to county 7, not 8"):
        unwrap_keys(KEK, 8, wrapped)
    with pytest.raises(KekError):
        unwrap_keys(KEK, 7, wrapped[:-1])
    with pytest.raises(CryptoError, match="unknown format"):
        unwrap_keys(KEK, 7, KEK.wrap(b"\x01\x01" + bytes(8) + b"short"))


def test_old_values_stay_readable_and_findable_after_a_new_data_key() -> None:
    old = encrypt(HERE, "610921", ID_NUMBER)
    renewed = with_new_data_key(HERE)
    assert renewed.key_id != HERE.key_id
    assert decrypt_text(renewed, old, ID_NUMBER) == "610921"
    assert needs_reencryption(renewed, old)
    assert not needs_reencryption(renewed, encrypt(renewed, "610921", ID_NUMBER))
    assert blind_index(renewed, "id_number", "610921") == blind_index(HERE, "id_number", "610921")


@given(st.text(), st.text())
def test_blind_index_is_equal_only_for_equal_text(one: str, other: str) -> None:
    assert (blind_index(HERE, "phone", one) == blind_index(HERE, "phone", other)) == (one == other)
    assert len(blind_index(HERE, "phone", one)) == crypto.INDEX_BYTES
    assert blind_index(HERE, "phone", one) != blind_index(THERE, "phone", one)
    assert blind_index(HERE, "phone", one) != blind_index(HERE, "id_number", one)


def test_keys_are_neither_printed_nor_pickled() -> None:
    assert HERE.data_key.hex() not in repr(HERE)
    assert repr(HERE) == f"TenantKeys(key_id={HERE.key_id})"
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(HERE)


def test_wrong_key_sizes_and_algorithms_are_refused() -> None:
    with pytest.raises(CryptoError, match="32 bytes"):
        TenantKeys(b"short", HERE.index_key)
    with pytest.raises(CryptoError, match="unknown algorithm 9"):
        TenantKeys(HERE.data_key, HERE.index_key, algorithm=9)
