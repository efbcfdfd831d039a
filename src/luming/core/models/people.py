"""People, organisations and the audit trail."""

from __future__ import annotations

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.functions import TransactionNow
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.roles import ROLE_CHOICES, ROLES


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """The funnel to organisations."""

    def visible_to(self, user: User) -> Self:
        """Return all for the bureau's people, their own one for others."""
        return self.all() if user.is_internal else self.filter(pk=user.organisation_id or 0)


@tracked()
class Organisation(models.Model):
    """A bureau, a department, a district bureau, an enterprise or a maintainer that people belong to."""

    class Kind(models.TextChoices):
        """What the organisation is to the bureau."""

        BUREAU = "bureau", _("Bureau")
        DISTRICT = "district", _("District bureau")
        ENTERPRISE = "enterprise", _("Enterprise")
        MAINTAINER = "maintainer", _("Maintainer")
        OUTSIDE = "outside", _("Outside department")

    name = models.CharField(_("Name"), max_length=120, unique=True)
    kind = models.CharField(_("Kind"), max_length=12, choices=Kind.choices, default=Kind.BUREAU)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("Organisation")
        verbose_name_plural = _("Organisations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no superuser to make."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> User:
        """Create a user; without a password the account cannot sign in."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


@tracked(exclude=["password", "last_login"])
class User(AbstractBaseUser):
    """A person who signs in. One role gives the verbs; regions, organisation and places give the rows."""

    username = models.CharField(
        _("Username"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[\w.@-]+$", _("Letters, digits and . @ - _ only."))],
    )
    name = models.CharField(_("Name"), max_length=60)
    role = models.CharField(_("Role"), max_length=20, choices=ROLE_CHOICES)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="users", verbose_name=_("Organisation")
    )
    # Codes of GB/T 2260 divisions; empty means the whole city for the bureau's own people and nothing for others.
    region_codes = models.JSONField(_("Regions"), default=list, blank=True)
    language = models.CharField(
        _("Language"), max_length=10, default="zh-hans", choices=[("zh-hans", "中文"), ("en", "English")]
    )
    is_active = models.BooleanField(_("Active"), default=True)
    must_change_password = models.BooleanField(_("Must change password"), default=False)
    created_at = models.DateTimeField(_("Created at"), auto_now_add=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: list[str] = ["name", "role"]

    objects = UserManager()

    class Meta:
        verbose_name = _("User")
        verbose_name_plural = _("Users")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name or self.username

    def may(self, permission: str) -> bool:
        """Tell whether the user's role holds a verb."""
        return self.is_active and permission in ROLES[self.role].permissions

    @property
    def is_internal(self) -> bool:
        """Tell whether the user works for the bureau."""
        return ROLES[self.role].internal


class AuditEntry(models.Model):
    """One change of state by anyone: who did what to which object, when, from where and why.

    Written in the transaction of the change itself; a trigger refuses update and delete (migration 0002).
    """

    at = models.DateTimeField(_("At"), auto_now_add=True, db_index=True)
    # When the transaction of the change began: equals pgh_created_at of the history it caused (luming.core.history).
    # Django's Now() would be when the statement began.
    transaction_at = models.DateTimeField(_("Transaction"), db_default=TransactionNow(), editable=False)
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Actor"))
    actor_name = models.CharField(_("Actor name"), max_length=80)  # as it was then; 'system' for the platform itself
    verb = models.CharField(_("Verb"), max_length=60, db_index=True)
    object_type = models.CharField(_("Object type"), max_length=40)
    object_id = models.CharField(_("Object"), max_length=40)
    object_name = models.CharField(_("Object name"), max_length=200, blank=True)
    reason = models.TextField(_("Reason"), blank=True)
    detail = models.JSONField(_("Detail"), default=dict, blank=True)
    address = models.GenericIPAddressField(_("Address"), null=True, blank=True)

    class Meta:
        verbose_name = _("Audit entry")
        verbose_name_plural = _("Audit trail")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["object_type", "object_id", "-at"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.actor_name} {self.verb} {self.object_type}:{self.object_id}"
