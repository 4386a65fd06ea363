"""Real configurations as SPECs: each product's own file read into the product's own options."""
