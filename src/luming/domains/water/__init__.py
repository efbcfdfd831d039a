"""The water domain."""
