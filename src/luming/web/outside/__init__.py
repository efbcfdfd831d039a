"""What the outside sees: the enterprises' portal and the public site."""
