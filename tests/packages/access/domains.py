"""The addresses of pages of domains."""

ROWS: dict = {}
