"""What hangs on records of every room: attachments, notes, tags; and the saved views of their lists.

A record is named by ``object_type`` (``registry.facility``) and ``object_id`` (its key as text), as in the audit trail,
so that any model of any domain can carry them without a column of its own.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from luming.core.models.people import User


class OfRecord(models.Model):
    """Belongs to one record of any model."""

    object_type = models.CharField(_("Object type"), max_length=40)
    object_id = models.CharField(_("Object"), max_length=40)

    class Meta:
        abstract = True


def attachment_path(attachment: Attachment, filename: str) -> str:
    """Return where a file is kept: a random name, so that nothing of what was uploaded reaches the file system."""
    token = uuid.uuid4().hex
    return f"attachments/{token[:2]}/{token}"


class Attachment(OfRecord):
    """A file of a record. A removed one is kept: removing can be undone, and evidence does not vanish."""

    class Category(models.TextChoices):
        """What the file is to the record."""

        DOCUMENT = "document", _("Document")
        PERMIT = "permit", _("Permit or approval")
        REPORT = "report", _("Report")
        PHOTO = "photo", _("Photo")
        DRAWING = "drawing", _("Drawing or map")
        OTHER = "other", _("Other")

    name = models.CharField(_("File name"), max_length=200)
    category = models.CharField(_("Category"), max_length=10, choices=Category.choices, default=Category.DOCUMENT)
    file = models.FileField(_("File"), upload_to=attachment_path, max_length=120)
    media_type = models.CharField(_("Media type"), max_length=100)
    size = models.PositiveBigIntegerField(_("Size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    uploaded_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Uploaded by")
    )
    uploaded_at = models.DateTimeField(_("Uploaded at"), auto_now_add=True)
    removed_at = models.DateTimeField(_("Removed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Attachment")
        verbose_name_plural = _("Attachments")
        ordering = ["-uploaded_at", "-id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="attachment_object")]

    def __str__(self) -> str:
        return self.name


class Note(OfRecord):
    """A remark of a person on a record."""

    text = models.TextField(_("Text"), max_length=4000)
    author = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("Author"))
    written_at = models.DateTimeField(_("Written at"), auto_now_add=True)
    removed_at = models.DateTimeField(_("Removed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Note")
        verbose_name_plural = _("Notes")
        ordering = ["-written_at", "-id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="note_object")]

    def __str__(self) -> str:
        return self.text[:60]


class Tag(models.Model):
    """A word that people mark records with, across registers."""

    class Colour(models.TextChoices):
        """Names of the look."""

        GREY = "secondary", _("Grey")
        GREEN = "green", _("Green")
        BLUE = "blue", _("Blue")
        YELLOW = "yellow", _("Yellow")
        ORANGE = "orange", _("Orange")
        RED = "red", _("Red")
        PURPLE = "purple", _("Purple")

    name = models.CharField(_("Name"), max_length=30, unique=True)
    colour = models.CharField(_("Colour"), max_length=10, choices=Colour.choices, default=Colour.GREY)

    class Meta:
        verbose_name = _("Tag")
        verbose_name_plural = _("Tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tagging(OfRecord):
    """A tag on a record."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings", verbose_name=_("Tag"))

    class Meta:
        verbose_name = _("Tagging")
        verbose_name_plural = _("Taggings")
        constraints = [models.UniqueConstraint(fields=["object_type", "object_id", "tag"], name="tagging_natural_key")]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.object_type}:{self.object_id}"


class SavedView(models.Model):
    """How a person likes to see a list: columns, order, filters, density; own or shared with everyone."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="views", verbose_name=_("Owner"))
    register = models.CharField(_("Register"), max_length=40)
    name = models.CharField(_("Name"), max_length=60)
    query = models.TextField(_("Query"), blank=True)  # of the list's address, without the place in it
    is_shared = models.BooleanField(_("Shared"), default=False)
    is_default = models.BooleanField(_("Opened first"), default=False)  # by its owner
    created_at = models.DateTimeField(_("Created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Saved view")
        verbose_name_plural = _("Saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "register", "name"], name="view_natural_key"),
            models.UniqueConstraint(
                fields=["owner", "register"], condition=Q(is_default=True), name="view_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name
