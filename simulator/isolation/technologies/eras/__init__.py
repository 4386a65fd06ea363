"""The same products at other times."""
