"""What the dummy adds; see luming_dummy.apps."""

LAYERS = []
