"""The enforcement domain."""
