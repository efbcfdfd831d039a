"""Review: people's decisions on data."""
