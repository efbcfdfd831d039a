"""The SM4 key of a device: entered on its page, sealed, never shown."""

from django.urls import reverse

from luming.core import vault
from luming.core.models import AuditEntry

KEY = "30" * 16


def test_a_key_is_set_sealed_and_removed(world):
    keeper = world.client("registrar")
    url, page = (reverse(name, args=[world.device.pk]) for name in ("device-key", "device"))
    keeper.post(url, {"key": KEY, "reason": "启用加密"})
    world.device.refresh_from_db()
    assert vault.unseal(world.device.sm4_key) == bytes.fromhex(KEY)
    assert KEY not in world.device.sm4_key
    shown = keeper.get(page).content.decode()
    assert "A key is set" in shown
    assert KEY not in shown
    entry = AuditEntry.objects.filter(object_id=str(world.device.pk), reason="启用加密").get()
    assert KEY not in str(entry.detail)
    keeper.post(url, {"key": "", "reason": "停用"})
    world.device.refresh_from_db()
    assert world.device.sm4_key == ""


def test_a_wrong_key_is_refused_and_the_old_one_stays(world):
    keeper = world.client("registrar")
    url = reverse("device-key", args=[world.device.pk])
    keeper.post(url, {"key": KEY, "reason": "x"})
    for wrong in ("3030", "zz" * 16, KEY + "00"):
        assert "16 bytes" in keeper.post(url, {"key": wrong, "reason": "x"}, follow=True).content.decode()
    world.device.refresh_from_db()
    assert vault.unseal(world.device.sm4_key) == bytes.fromhex(KEY)
