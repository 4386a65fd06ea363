"""Building walls: mechanisms, and the technologies that are made of them."""
