"""How the machine's state is held and how its history is kept: nothing else knows."""
