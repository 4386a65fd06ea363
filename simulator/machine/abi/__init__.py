"""The words of the border between a process and the kernel: no behaviour lives here."""
