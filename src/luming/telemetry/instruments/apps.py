"""Instruments: calibrations, maintenance, supplies and certificates of devices, and their health."""

from luming.core.manifest import DomainConfig


class InstrumentsConfig(DomainConfig):
    """What this part of telemetry adds to the product."""

    name = "luming.telemetry.instruments"
    label = "instruments"
    verbose_name = "设备运维"
