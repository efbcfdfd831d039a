"""Registry: regions, facilities, outlets, stations, devices, series and limits."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """The room of places."""

    name = "luming.registry"
    label = "registry"
    verbose_name = "点位与设备"
