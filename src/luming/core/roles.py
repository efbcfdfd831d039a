"""Roles give verbs. Which rows a person sees is the data scope's business (:mod:`luming.core.scope`).

The three administrators are exclusive (三员分立, GB/T 22239-2019 level 3, 8.1.5): none of them sees or changes
business data, and no role can do everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

PERMISSIONS: dict[str, object] = {
    "data.view": _("View monitoring data"),
    "packet.view": _("View packets"),
    "device.view": _("View devices"),
    "device.adopt": _("Adopt an unregistered device"),
    "device.command": _("Send commands to a device"),
    "packet.release": _("Release held packets"),
    "place.edit": _("Edit places, devices, series and limits"),
    "place.import": _("Import places from files"),
    "record.annotate": _("Attach files, notes and tags to records"),
    "permit.edit": _("Edit permits and allowances"),
    "announcement.edit": _("Write and publish announcements"),
    "quality.configure": _("Change parameters of quality checks"),
    "review.decide": _("Review data"),
    "mark.make": _("Mark periods of one's own outlets"),
    "mark.decide": _("Confirm or refuse marks of dischargers"),
    "instrument.keep": _("Enter calibrations, maintenance and supplies of devices"),
    "sample.plan": _("Plan samples and record their custody"),
    "sample.result": _("Enter results of samples"),
    "sample.review": _("Review results of samples"),
    "evidence.issue": _("Issue evidence sheets"),
    "evidence.verify": _("Look at the closed days and verify them"),
    "cockpit.view": _("View the cockpit"),
    "portal.view": _("Use the enterprises' portal"),
    "system.setup": _("Set up the installation"),
    "user.manage": _("Manage users"),
    "role.assign": _("Assign roles and data scope"),
    "audit.view": _("View the audit trail"),
    "system.view": _("View the state of the installation"),
}


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of verbs."""

    key: str
    label: object
    permissions: frozenset[str]
    internal: bool = True  # works for the bureau (as against an enterprise or a third party)


NO_ROLE = "none"  # of a new account, until the security administrator gives it one

_LOOK = {"data.view", "packet.view", "device.view"}
_WORK = _LOOK | {"record.annotate", "cockpit.view"}
_PROVE = {"evidence.issue", "evidence.verify"}
_REVIEW = {
    "quality.configure", "review.decide", "mark.decide", "instrument.keep", "sample.plan", "sample.result",
    "sample.review",
}  # fmt: skip

ROLES: dict[str, Role] = {
    role.key: role
    for role in (
        Role(NO_ROLE, _("No role yet"), frozenset()),
        Role(
            "duty",
            _("Duty officer"),
            frozenset(
                _WORK | _PROVE | {"device.command", "device.adopt", "packet.release", "instrument.keep", "sample.plan"}
            ),
        ),
        Role(
            "reviewer", _("Data reviewer"), frozenset(_WORK | _REVIEW | _PROVE | {"device.command", "packet.release"})
        ),
        Role(
            "registrar",
            _("Register keeper"),
            frozenset(_WORK | {"place.edit", "place.import", "device.adopt", "permit.edit"}),
        ),
        Role(
            "enforcement",
            _("Enforcement officer"),
            frozenset(_WORK | _PROVE | {"device.command", "mark.decide", "sample.plan"}),
        ),
        Role("district", _("District bureau"), frozenset(_WORK | {"device.command"})),
        Role("leader", _("Leader"), frozenset({"data.view", "cockpit.view", "evidence.verify"})),
        Role("publisher", _("Disclosure officer"), frozenset({"data.view", "announcement.edit"})),
        Role(
            "enterprise",
            _("Enterprise"),
            frozenset({"data.view", "device.view", "portal.view", "mark.make"}),
            internal=False,
        ),
        Role("maintainer", _("Maintainer"), frozenset(_LOOK | {"portal.view", "instrument.keep"}), internal=False),
        Role("system-admin", _("System administrator"), frozenset({"user.manage", "system.view", "system.setup"})),
        Role("security-admin", _("Security administrator"), frozenset({"role.assign", "system.view"})),
        Role("audit-admin", _("Audit administrator"), frozenset({"audit.view", "evidence.verify"})),
    )
}

ADMINISTRATORS = ("system-admin", "security-admin", "audit-admin")

ROLE_CHOICES = [(role.key, role.label) for role in ROLES.values()]
