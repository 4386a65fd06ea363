"""Names, mounts and open files: everything between a path and an inode."""
