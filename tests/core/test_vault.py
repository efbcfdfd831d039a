"""What is sealed comes back; what was altered or sealed elsewhere does not."""

import pytest

from luming.core import vault


def test_seal_and_unseal(monkeypatch):
    key = bytes(range(16))
    sealed = vault.seal(key)
    assert vault.unseal(sealed) == key
    assert len(sealed) <= 200  # Device.sm4_key
    assert vault.seal(key) != sealed  # a fresh nonce each time


def test_foreign_or_altered_values_are_refused(monkeypatch):
    sealed = vault.seal(b"0" * 16)
    with pytest.raises(vault.VaultError, match=r"secrets\.json"):
        vault.unseal(sealed[:-4] + "AAAA")
    monkeypatch.setenv("LUMING_VAULT", "another installation")
    with pytest.raises(vault.VaultError):
        vault.unseal(sealed)
