"""System V objects and POSIX message queues, each in one ipc namespace."""
