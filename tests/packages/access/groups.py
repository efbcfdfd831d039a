"""Groups of roles that the rows name."""

from luming.core.roles import ROLES

STRANGER = "010000A8900016F0001699FF"
EVERYONE = frozenset(ROLES)
BUREAU = frozenset({"duty", "reviewer", "registrar", "enforcement", "district"})
PACKETS = BUREAU | {"maintainer"}
DEVICES = PACKETS | {"enterprise"}
DATA = DEVICES | {"leader", "publisher"}
ADOPT = frozenset({"duty", "registrar"})
COMMAND = frozenset({"duty", "reviewer", "enforcement", "district"})
RELEASE = frozenset({"duty", "reviewer"})
EDIT = frozenset({"registrar"})
PUBLIC = "public"
