"""First run and health of an installation."""
