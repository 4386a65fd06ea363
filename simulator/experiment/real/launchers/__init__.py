"""How each product's own program builds a sandbox inside the scratch machine."""
