"""The audit trail cannot be changed, and every verb asks for its permission."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from luming.core import audit
from luming.core.models import AuditEntry, Organisation, User
from luming.core.roles import PERMISSIONS, ROLES


@pytest.fixture
def duty(db):
    return User.objects.create_user("duty", "x" * 12, name="值班员", role="duty")


def test_audit_rows_are_append_only(duty):
    organisation = Organisation.objects.create(name="某分局", kind="district")
    entry = audit.record(duty, "organisation.create", organisation, reason="test", name=organisation.name)
    for attempt in (entry.delete, lambda: AuditEntry.objects.update(reason="other")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    entry.refresh_from_db()
    assert (entry.actor_name, entry.reason, entry.detail) == ("值班员", "test", {"name": "某分局"})


def test_require(duty):
    audit.require(duty, "device.command")
    audit.require(None, "place.edit")
    with pytest.raises(PermissionDenied):
        audit.require(duty, "place.edit")
    duty.is_active = False
    with pytest.raises(PermissionDenied):
        audit.require(duty, "device.command")


def test_roles_only_hold_known_permissions_and_administrators_are_exclusive():
    for role in ROLES.values():
        assert role.permissions <= set(PERMISSIONS), role.key
        assert not role.permissions >= set(PERMISSIONS), role.key
    business = {"data.view", "packet.view", "device.command", "place.edit", "packet.release", "device.adopt"}
    administrators = [ROLES[key].permissions for key in ("system-admin", "security-admin", "audit-admin")]
    assert not any(permissions & business for permissions in administrators)
    own = [permissions - {"system.view"} for permissions in administrators]
    assert not (own[0] & own[1] or own[1] & own[2] or own[0] & own[2])
