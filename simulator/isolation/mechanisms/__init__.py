"""One file per wall-building device; each adds its launch steps to the phase that is its own."""
