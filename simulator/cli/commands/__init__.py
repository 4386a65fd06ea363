"""``vitrina``'s commands, one module each; ``main`` imports the one that was asked for."""
