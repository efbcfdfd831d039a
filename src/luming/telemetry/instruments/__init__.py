"""Instruments: calibrations, maintenance, supplies and certificates of devices, and their health."""
