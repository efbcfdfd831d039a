"""Measurements: store, intake, gateway, commands, gaps, judging."""
