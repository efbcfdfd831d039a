"""Pages: Review: people's decisions on data."""
