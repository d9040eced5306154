"""How well one colour is seen on another."""


def contrast(one, other) -> float:
    """The contrast of two colours, as WCAG 2 defines it, from 1 to 21.

    Args:
        one, other: red, green and blue, from 0 to 255; what follows these is not looked at.
    """
    dark, bright = sorted((_light(one), _light(other)))
    return (bright + 0.05) / (dark + 0.05)


def _light(colour) -> float:
    """Relative luminance."""
    parts = [part / 255 for part in colour[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
