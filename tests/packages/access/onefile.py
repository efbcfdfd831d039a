"""The addresses of one enterprise, one file."""

ROWS: dict = {}
