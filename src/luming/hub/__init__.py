"""Work: signals, matters and processes, indicators, datasets and sharing."""
