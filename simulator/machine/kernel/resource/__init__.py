"""What a group of tasks may use: control groups, version 1 and version 2."""
