"""Pages: Quality: checks at work: parameters of series, runs, hit rates, suspicions."""
