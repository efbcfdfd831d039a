"""What the dummy adds; see luming_dummy.apps."""

PANELS = []
TIMELINES = []
TRAITS = []
CHECKS = []
