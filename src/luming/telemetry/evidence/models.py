"""Evidence: provenance of figures, hash trees of days, evidence sheets."""
