"""Home, play, compare, and the dialogs over them."""
