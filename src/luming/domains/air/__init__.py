"""The air domain."""
