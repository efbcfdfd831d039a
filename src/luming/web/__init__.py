"""The shell and the pages."""
