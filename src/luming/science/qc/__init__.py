"""Quality checks: a catalogue of coded, pure, vectorised functions; types in :mod:`luming.science.qc.model`."""
