"""The addresses of registers."""

ROWS: dict = {}
