"""Suspicions of fabricated data (数据造假): tests of statistics that point a person to a period, never a verdict."""

from __future__ import annotations

from luming.science.qc.model import Check

CHECKS: tuple[Check, ...] = ()
