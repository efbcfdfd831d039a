"""The permission matrix as data: one module per area, one row per address; see tests/web/test_access.py."""
