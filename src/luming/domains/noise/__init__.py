"""The noise domain."""
