"""Statistics: figures of hours, days, months, quarters and years, computed from what counts, append-only.

``queue.mark`` says what changed, ``recomputing`` computes what depends on it, ``reading.read`` answers what a figure is
or was known to be at a past moment, ``explaining`` lists what it was made of and why it changed.
"""
