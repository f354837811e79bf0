"""Figures as people read them."""


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction of 1 in percent, with so many digits behind the point: ``99.27 %``."""
    return f"{100 * fraction:.{digits}f} %"
