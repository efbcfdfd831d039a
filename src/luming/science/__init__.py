"""The methods: quality checks, statistics, tracing, forecasting. Pure functions; no Django, no database, no network."""
