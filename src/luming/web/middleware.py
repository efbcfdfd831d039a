"""Middleware of the shell."""
