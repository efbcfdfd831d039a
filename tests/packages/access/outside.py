"""The addresses of portal, public site and first run."""

ROWS: dict = {}
