"""The simulated fleet, its history and its loggers."""
