"""Technologies as values: a tuple of mechanisms, an image, an era. No logic lives here."""
