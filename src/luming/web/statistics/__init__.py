"""Pages: Statistics: figures of hours, days, months and years, computed from what counts."""
