"""One package per field of the bureau's work; each is a manifest (luming.core.manifest)."""
