"""The addresses of the one map."""

ROWS: dict = {}
