"""Quality checks: a catalogue of coded, pure, vectorised functions.

Types are in :mod:`luming.science.qc.model`; :mod:`luming.science.qc.catalogue` lists the checks and runs them.
"""
