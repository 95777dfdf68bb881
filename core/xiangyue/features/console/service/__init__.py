"""Writes of the console: counties come aboard, are suspended and resumed; their first administrators are invited."""
