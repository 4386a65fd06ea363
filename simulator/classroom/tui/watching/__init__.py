"""A running engine as onlookers see it: what is told of it, who tells it, and who hears it."""
