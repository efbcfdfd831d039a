"""The addresses of home, cockpit and search."""

ROWS: dict = {}
