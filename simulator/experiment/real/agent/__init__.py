"""The actor's program: one JSON call per line in, one JSON result per line out.

Standard library only and self-contained, because it is packed into one archive and runs under
``python -I -S`` inside a bare root, a chroot, a container. It imports nothing from the rest of
the project; the table of calls is here because the encoding of arguments belongs to the kernel's
side of the border.
"""
