"""Verbs of the second factor: a code from an application on one's telephone (TOTP, RFC 6238), and recovery codes.

The three administrators need one (GB/T 22239-2019, 8.1.4.1 d); ``LUMING_SECOND_FACTOR`` asks everyone or nobody for it.
Wrong codes make the next try wait 1, 2, 4 … seconds (django-otp).
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from luming.core import audit
from luming.core.models import User
from luming.core.roles import ADMINISTRATORS

RECOVERY_CODES = 10
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without what looks alike


def required(user: User) -> bool:
    """Tell whether a person of this role must have a second factor."""
    if settings.SECOND_FACTOR == "all":
        return True
    return settings.SECOND_FACTOR == "admins" and user.role in ADMINISTRATORS


def device(user: User) -> TOTPDevice | None:
    """Return the application that a person has enrolled."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def codes_left(user: User) -> int:
    """Return how many recovery codes a person has not used."""
    found = StaticDevice.objects.filter(user=user).first()
    return found.token_set.count() if found else 0


@transaction.atomic
def begin(user: User) -> TOTPDevice:
    """Return the key that waits for its first code; a new one when there is none."""
    if device(user) is not None:
        raise ValidationError(_("You have a second factor already: remove it first."))
    found = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return found or TOTPDevice.objects.create(user=user, name="totp", confirmed=False)


def address(waiting: TOTPDevice, issuer: str) -> str:
    """Return what the QR code says (Key URI format)."""
    label = quote(f"{issuer}:{waiting.user.get_username()}")
    return f"otpauth://totp/{label}?secret={secret(waiting)}&issuer={quote(issuer)}&digits={waiting.digits}"


def secret(waiting: TOTPDevice) -> str:
    """Return the key as it is typed into an application that cannot read the QR code."""
    return b32encode(waiting.bin_key).decode().rstrip("=")


def enrol(user: User, code: str) -> tuple[TOTPDevice, list[str]]:
    """Take the application into use when its first code is right; return it with the recovery codes, shown once.

    Raises
    ------
    ValidationError
        The code is wrong, or there were too many wrong ones just now.
    """
    with transaction.atomic():
        waiting = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if waiting is not None and not (problem := _try(waiting, code)):
            waiting.confirmed = True
            waiting.save(update_fields=["confirmed"])
            codes = _new_codes(user)
            audit.record(user, "account.second-factor-enrol", user)
            return waiting, codes
    if waiting is None:
        raise ValidationError(_("There is no key to confirm: open the page again."))
    raise ValidationError(problem)  # outside the transaction: the wrong try stays counted


def verify(user: User, code: str) -> TOTPDevice | StaticDevice:
    """Return the device whose code this is: the application's, or a recovery code, which is used up.

    Raises
    ------
    ValidationError
        The code is wrong, or there were too many wrong ones just now.
    """
    text = code.strip().lower().replace(" ", "").replace("-", "")
    kind, typed = (TOTPDevice, text) if text.isdigit() and len(text) <= 8 else (StaticDevice, _hashed(text))
    with transaction.atomic():
        found = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
        problem = _try(found, typed) if found else _("This code is wrong.")
        if found and not problem:
            if isinstance(found, StaticDevice):
                audit.record(user, "account.recovery-code-used", user, left=found.token_set.count())
            return found
        audit.record(user, "account.second-factor-wrong", user)
    raise ValidationError(problem)


def _try(found: TOTPDevice | StaticDevice, code: str) -> str:
    """Try a code; return what is wrong, empty when it is right."""
    allowed, why = found.verify_is_allowed()
    if not allowed:
        seconds = (why["locked_until"] - timezone.now()).total_seconds() if why else 1
        return _("Too many wrong codes. Wait %(n)s seconds.") % {"n": max(1, round(seconds))}
    right = found.verify_token(code.replace(" ", ""))
    return "" if right else _("This code is wrong. Each code lasts 30 seconds; is your telephone's clock right?")


def _new_codes(user: User) -> list[str]:
    """Replace the recovery codes; only what proves them is kept."""
    StaticDevice.objects.filter(user=user).delete()
    holder = StaticDevice.objects.create(user=user, name="recovery")
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    for code in codes:
        holder.token_set.create(token=_hashed(code))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _hashed(code: str) -> str:
    return salted_hmac("luming.recovery-code", code, algorithm="sha256").hexdigest()[:16]


@transaction.atomic
def renew_codes(user: User, password: str) -> list[str]:
    """Return new recovery codes, shown once; the old ones are void."""
    _require_password(user, password)
    if device(user) is None:
        raise ValidationError(_("Enrol a second factor first."))
    codes = _new_codes(user)
    audit.record(user, "account.recovery-codes", user)
    return codes


@transaction.atomic
def remove(user: User, password: str) -> None:
    """Give up one's own second factor."""
    _require_password(user, password)
    _remove(user)
    audit.record(user, "account.second-factor-remove", user)


@transaction.atomic
def reset(actor: User | None, user: User, reason: str) -> None:
    """Take another person's second factor away, who has lost the telephone and the recovery codes.

    Raises
    ------
    ValidationError
        The actor's own account is meant, or no reason is given.
    """
    audit.require(actor, "role.assign")
    if actor is not None and actor.pk == user.pk:
        raise ValidationError(_("Another security administrator must reset your own second factor."))
    if not reason.strip():
        raise ValidationError(_("Say why: the reason goes into the audit trail."))
    _remove(user)
    audit.record(actor, "user.reset-second-factor", user, reason=reason)


def _require_password(user: User, password: str) -> None:
    if not user.check_password(password):
        raise ValidationError(_("This is not your present password."))


def _remove(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
