"""Core: people, organisations, roles, data scope, audit trail, jobs."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    """The room of people."""

    name = "luming.core"
    label = "core"
    verbose_name = "人员与权限"

    def ready(self) -> None:
        """Keep the search index in step with the tables that this version has."""
        from luming.core import search_upkeep

        post_migrate.connect(search_upkeep.prepare, sender=self, dispatch_uid="luming.search")
