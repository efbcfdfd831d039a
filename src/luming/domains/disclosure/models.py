"""What the bureau tells the public."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.history import tracked
from luming.core.models import User

IS_PUBLIC = Q(published_at__isnull=False, withdrawn_at__isnull=True)


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    """The funnel to announcements."""

    def published(self) -> Self:
        """Return what everyone may read."""
        return self.filter(IS_PUBLIC, published_at__lte=timezone.now())

    def visible_to(self, user: User) -> Self:
        """Return drafts and withdrawn ones to those who write them, to everyone else what is published."""
        if user.may("announcement.edit"):
            return self
        return self.published() if user.may("data.view") else self.none()


@tracked()
class Announcement(models.Model):
    """An announcement: a draft until it is published, gone from the site when it is withdrawn."""

    class Kind(models.TextChoices):
        """What it is."""

        NOTICE = "notice", _("Notice")
        BULLETIN = "bulletin", _("Bulletin")
        WARNING = "warning", _("Warning")
        RESULT = "result", _("Public result")

    title = models.CharField(_("Title"), max_length=120)
    kind = models.CharField(_("Kind"), max_length=10, choices=Kind.choices, default=Kind.NOTICE)
    lang = models.CharField(
        _("Language"), max_length=10, default="zh-hans", choices=[("zh-hans", "中文"), ("en", "English")]
    )
    body = models.TextField(_("Text"), max_length=20000, help_text=_("Plain text; an empty line begins a paragraph."))
    author = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("Author")
    )
    written_at = models.DateTimeField(_("Written at"), auto_now_add=True)
    published_at = models.DateTimeField(_("Published at"), null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(_("Withdrawn at"), null=True, blank=True, editable=False)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("Announcement")
        verbose_name_plural = _("Announcements")
        ordering = ["-published_at", "-id"]
        indexes = [models.Index(fields=["-published_at", "-id"], name="announcement_published")]

    def __str__(self) -> str:
        return self.title

    @property
    def standing(self) -> str:
        """Return draft, published or withdrawn."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "draft" if self.published_at is None else "published"
