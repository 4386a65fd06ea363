"""The root of every error that a person caused and can mend."""


class VitrinaError(Exception):
    """Bad input: ``str(error)`` is one line saying what, where and how to mend it.

    The command line prints it to standard error and exits with status 2; the TUI shows it as a
    notice. Anything that is not a ``VitrinaError`` is our own bug and keeps its traceback.
    """
