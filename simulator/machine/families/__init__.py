"""Kernels as values: what each family and release has, does and refuses."""
