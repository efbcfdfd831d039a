"""Home by role, the cockpit for leaders, the wall display and the global search."""
