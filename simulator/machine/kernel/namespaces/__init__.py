"""What is done with namespaces: making, joining and describing them."""
