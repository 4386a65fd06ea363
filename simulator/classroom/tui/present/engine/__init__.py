"""A Docker Engine seen from outside: what its disk and the kernel's tables say, never itself."""
