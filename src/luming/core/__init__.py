"""People: users, roles, data scope, audit trail; the manifest; where an installation keeps its data."""
