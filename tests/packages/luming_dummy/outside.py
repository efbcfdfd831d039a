"""What the dummy adds; see luming_dummy.apps."""

PUBLIC_SECTIONS = []
PORTAL_SECTIONS = []
