"""Verbs on people: accounts, passwords, roles and data scope.

The system administrator makes accounts, the security administrator gives them a role and a scope (三员分立): a new
account holds no permission until both have acted.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import Organisation, User
from luming.core.roles import NO_ROLE, ROLES


def one_time_password() -> str:
    """Return a random password to be told once and changed at the first sign-in (96 bits)."""
    return secrets.token_urlsafe(12)


@transaction.atomic
def create_user(
    actor: User | None,
    username: str,
    name: str,
    *,
    organisation: Organisation | None = None,
    role: str = NO_ROLE,
    region_codes: Sequence[str] = (),
    language: str = "zh-hans",
) -> tuple[User, str]:
    """Make an account; return it with its one-time password.

    A person makes it without a role; only the machine's console (``actor=None``) may give one at once.

    Raises
    ------
    ValidationError
        The username is taken or has forbidden characters, the name is empty, the role does not exist.
    """
    audit.require(actor, "user.manage")
    if actor is not None and (role != NO_ROLE or region_codes):
        raise PermissionDenied(_("Roles are given by the security administrator."))
    user = User(
        username=username.strip(),
        name=name.strip(),
        role=role,
        region_codes=list(region_codes),
        organisation=organisation,
        language=language,
        must_change_password=True,
    )
    password = one_time_password()
    user.set_password(password)
    user.full_clean()
    user.save()
    audit.record(actor, "user.create", user, role=role, region_codes=list(region_codes))
    return user, password


@transaction.atomic
def reset_password(actor: User | None, user: User) -> str:
    """Give an account a new one-time password; its sessions end. Returns the password."""
    audit.require(actor, "user.manage")
    user = User.objects.select_for_update().get(pk=user.pk)
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    audit.record(actor, "user.reset-password", user)
    return password


@transaction.atomic
def set_active(actor: User | None, user: User, active: bool, reason: str = "") -> User:
    """Switch an account on or off; nobody switches off the account they work with."""
    audit.require(actor, "user.manage")
    if actor is not None and actor.pk == user.pk:
        raise ValidationError(_("You cannot switch off your own account."))
    user = User.objects.select_for_update().get(pk=user.pk)
    user.is_active = active
    user.save(update_fields=["is_active"])
    audit.record(actor, "user.activate" if active else "user.deactivate", user, reason=reason)
    return user


@transaction.atomic
def assign_role(
    actor: User | None,
    user: User,
    role: str,
    region_codes: Sequence[str],
    organisation: Organisation | None,
    reason: str,
) -> User:
    """Give an account a role and a data scope.

    Raises
    ------
    ValidationError
        The role does not exist or needs an organisation; or the actor's own account is meant.
    """
    audit.require(actor, "role.assign")
    if actor is not None and actor.pk == user.pk:
        raise ValidationError(_("Another security administrator must change your own role."))
    if role not in ROLES:
        raise ValidationError(_("There is no role “%(role)s”.") % {"role": role})
    if not ROLES[role].internal and organisation is None:
        raise ValidationError(_("This role sees the data of its organisation: choose one."))
    if not reason.strip():
        raise ValidationError(_("Say why: the reason goes into the audit trail."))
    user = User.objects.select_for_update().get(pk=user.pk)
    before = {"role": user.role, "region_codes": user.region_codes, "organisation": user.organisation_id}
    user.role, user.region_codes, user.organisation = role, sorted(region_codes), organisation
    user.save(update_fields=["role", "region_codes", "organisation"])
    after = {"role": role, "region_codes": user.region_codes, "organisation": user.organisation_id}
    audit.record(actor, "user.assign-role", user, reason=reason, before=before, after=after)
    return user


@transaction.atomic
def change_password(user: User, password: str) -> User:
    """Set one's own password; the checks of the installation apply.

    Raises
    ------
    ValidationError
        The password is too short, too common, or the same as before.
    """
    validate_password(password, user)
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.check_password(password):
        raise ValidationError(_("The new password is the old one."))
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    audit.record(user, "account.change-password", user)
    return user


@transaction.atomic
def set_language(user: User, language: str) -> User:
    """Choose the language of one's own pages."""
    user.language = language
    user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name != "language"])
    user.save(update_fields=["language"])
    audit.record(user, "account.language", user, language=language)
    return user
