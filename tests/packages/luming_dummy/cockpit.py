"""What the dummy adds; see luming_dummy.apps."""

CONCERNS = []
TILES = []
SEARCHES = []
