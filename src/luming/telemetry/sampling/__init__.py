"""Sampling: samples taken by hand, from plan to result.

plan → number and label → chain of custody (采—送—测) → results → review → what counts (:mod:`.reading`) and the
comparison with the automatic series (:mod:`.comparing`). All changes go through :mod:`.actions`.
"""
