"""Quality checks: a catalogue of coded, pure, vectorised functions; see :mod:`luming.science.qc.model` for the types."""
