"""What the daemon knows and does: containers, networks, volumes, events."""
