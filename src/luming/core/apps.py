"""Core: people, organisations, roles, data scope, audit trail, jobs."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The room of people."""

    name = "luming.core"
    label = "core"
    verbose_name = "人员与权限"
