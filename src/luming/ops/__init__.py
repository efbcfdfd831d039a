"""Running an installation: database, supervisor, worker, doctor."""
