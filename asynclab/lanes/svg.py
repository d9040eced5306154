"""A sheet to draw on that takes the colours of the page: SVG, for a notebook that runs."""

from html import escape

from .canvas import BAND, EDGE, FAINT, INK, PAPER, QUIET, RED, RULE, WIDTH

LETTER = 0.55
"""The width of a letter on average, as a share of its height."""

TINT = "35%"

# What the theme of JupyterLab has in place of the still's colours; each is followed by the still's.
THEME = {
    PAPER: "--jp-layout-color0",
    BAND: "--jp-layout-color1",
    RULE: "--jp-border-color2",
    EDGE: "--jp-border-color1",
    INK: "--jp-ui-font-color0",
    QUIET: "--jp-ui-font-color1",
    FAINT: "--jp-ui-font-color2",
    RED: "--jp-error-color1",
}


class SvgSheet:
    """A sheet, `WIDTH` wide, with the strokes of a `Canvas`.

    Args:
        height: of the sheet, in CSS pixels.
        theme: the theme's names for further colours.
        tints: of which colour a paler one is a tint.
    """

    def __init__(self, height: float, theme: dict[str, str], tints: dict[str, str]):
        self._height = height
        self._tints = tints
        self._theme = THEME | theme
        self._drawn: list[str] = []

    def svg(self, words: str) -> str:
        """What has been drawn, as an element of HTML that `words` describe."""
        words = escape(words)
        return (
            f'<svg role="img" aria-label="{words}" viewBox="0 0 {WIDTH} {self._height:g}" '
            f'style="display:block;width:100%;max-width:1100px;'
            f'font-family:var(--jp-ui-font-family, system-ui, sans-serif)">'
            f"{''.join(self._drawn)}</svg>"
        )

    def _colour(self, colour: str) -> str:
        if of := self._tints.get(colour):
            return f"color-mix(in srgb, {self._colour(of)} {TINT}, transparent)"
        name = self._theme.get(colour)
        return f"var({name}, {colour})" if name else colour

    def _rectangle(self, box, fill=None, outline=None) -> None:
        left, top, right, bottom = box
        fill = self._colour(fill) if fill else "none"
        edge = f' stroke="{self._colour(outline)}"' if outline else ""
        self._drawn.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0):.1f}" '
            f'height="{max(bottom - top, 0):.1f}" style="fill:{fill}"{edge}/>'
        )

    def _line(self, ends, colour, width: float = 1, dashes: str = "") -> None:
        x0, y0, x1, y1 = ends
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._drawn.append(
            f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" '
            f'style="stroke:{self._colour(colour)};stroke-width:{width:g}"{dashed}/>'
        )

    def _dashes(self, start, end, colour) -> None:
        self._line((*start, *end), colour, dashes="3 3")

    def _text(self, at, words, points, colour=INK, room=None, bold=False) -> None:
        x, y = at
        weight = ";font-weight:600" if bold else ""
        self._drawn.append(
            f'<text x="{x:.1f}" y="{y:.1f}" dominant-baseline="central" '
            f'style="fill:{self._colour(colour)};font-size:{points:g}px{weight}">'
            f"{escape(words)}</text>"
        )

    def _width(self, words: str, points: float) -> float:
        return len(words) * points * LETTER
