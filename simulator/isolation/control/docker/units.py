"""Sizes as docker writes them (docker/go-units, size.go)."""

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_size(count: float, digits: int = 4) -> str:
    """units.HumanSizeWithPrecision(): ``4.274MB``; thousands, not 1024s."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.{digits}g}{unit}"
        count /= 1000
    return ""
