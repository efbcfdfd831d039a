"""Telemetry: packets, observations, gaps, commands and judgements."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """The room of measurements."""

    name = "luming.telemetry"
    label = "telemetry"
    verbose_name = "监测数据"
