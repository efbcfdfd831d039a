"""The index of the global search and of the lists' quick search; see :mod:`luming.core.search`."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class SearchEntry(models.Model):
    """What one record is found by."""

    kind = models.CharField(_("Kind"), max_length=40)  # key of the register, such as facilities
    object_id = models.CharField(_("Object"), max_length=40)
    title = models.CharField(_("Title"), max_length=200)
    haystack = models.TextField(_("Text"))  # lower case, one line each: words as written, pinyin, initials
    tokens = ArrayField(models.CharField(max_length=8), verbose_name=_("Tokens"))  # pieces of the haystack

    class Meta:
        verbose_name = _("Search entry")
        verbose_name_plural = _("Search entries")
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="search_natural_key")]
        indexes = [GinIndex(fields=["tokens"], name="search_tokens")]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"


class SearchDirty(models.Model):
    """A record that changed since it was last indexed; written by triggers, so that no path escapes it."""

    table = models.CharField(_("Table"), max_length=63)
    object_id = models.CharField(_("Object"), max_length=40)

    class Meta:
        verbose_name = _("Search backlog")
        verbose_name_plural = _("Search backlog")

    def __str__(self) -> str:
        return f"{self.table} {self.object_id}"
