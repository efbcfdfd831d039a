"""A domain of a third party, for the tests: it uses every hook of the manifest and nothing of the product names it."""
