"""What a kernel is made of: rows, and free functions that read and write them through a Trap."""
