"""Permitting: pollutant discharge permits (排污许可证), what they allow and what was emitted against it."""
