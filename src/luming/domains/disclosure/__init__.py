"""Disclosure: what the bureau tells the public (信息公开)."""
