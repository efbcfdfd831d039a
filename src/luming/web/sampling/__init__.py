"""Pages: Sampling: samples taken by hand, from plan to result."""
