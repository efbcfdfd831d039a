"""Web: the shell and the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The room of pages."""

    name = "luming.web"
    label = "web"
