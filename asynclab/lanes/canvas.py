"""A sheet to draw a picture on, for GitHub, nbviewer and a notebook that was not run.

Pillow is imported when the first picture is drawn: a kernel that draws none does not pay for it.
"""

import io
from math import hypot

SCALE = 2
WIDTH = 920
MOST_LETTERS = 120
DESCRIPTION = "Description"  # the PNG standard's keyword for it

# One picture serves light and dark pages: a paper of its own that dazzles on neither, and an edge
# that is seen on both.
PAPER, BAND, RULE, EDGE = "#eef1f5", "#e3e8ee", "#cbd2da", "#7a828c"
INK, QUIET, FAINT, RED = "#1c2430", "#4b5563", "#7a828c", "#c62828"


class Canvas:
    """A sheet, `WIDTH` wide; every length is in CSS pixels, of `SCALE` device pixels each.

    Args:
        height: of the sheet.
    """

    def __init__(self, height: float):
        from PIL import Image, ImageDraw

        self._image = Image.new("RGB", (WIDTH * SCALE, round(height * SCALE)), PAPER)
        self.pen = ImageDraw.Draw(self._image)
        self._fonts = {}

    def png(self, words: str) -> bytes:
        """What has been drawn, with an edge around it, as a PNG that holds `words`, too."""
        from PIL.PngImagePlugin import PngInfo

        corner = (side - 1 for side in self._image.size)
        self.pen.rectangle((0, 0, *corner), outline=EDGE, width=SCALE)
        # Flat colours: a palette makes the file a quarter of the size.
        image = self._image.quantize(256, method=2, dither=0)  # an octree: fast
        file, info = io.BytesIO(), PngInfo()
        info.add_itxt(DESCRIPTION, words)
        image.save(file, "PNG", pnginfo=info)
        return file.getvalue()

    def _rectangle(self, box, fill=None, outline=None) -> None:
        self.pen.rectangle(self._device(box), fill, outline, SCALE if outline else 0)

    def _line(self, ends, colour, width: float = 1) -> None:
        self.pen.line(self._device(ends), colour, round(width * SCALE))

    def _dashes(self, start, end, colour) -> None:
        (x0, y0), (x1, y1) = start, end
        pieces = max(2, round(hypot(x1 - x0, y1 - y0) / 3))
        for piece in range(0, pieces, 2):
            a, b = piece / pieces, (piece + 1) / pieces
            points = (x0 + (x1 - x0) * a, y0 + (y1 - y0) * a)
            self._line((*points, x0 + (x1 - x0) * b, y0 + (y1 - y0) * b), colour)

    def _polygon(self, points, colour) -> None:
        self.pen.polygon([self._device(point) for point in points], colour)

    def _hatch(self, box, colour, step: float = 6) -> None:
        left, top, right, bottom = box
        height = bottom - top
        x = left - height + step / 2
        while x < right:
            # A stroke from the bottom up to the right, cut off at both sides of the box.
            a, b = max(0, left - x), min(height, right - x)
            if b > a:
                self._line((x + a, bottom - a, x + b, bottom - b), colour, 0.5)
            x += step

    def _text(self, at, words, points, colour=INK, room=None, bold=False) -> None:
        words = words if room is None else self._fit(words, points, room)
        stroke = 0.35 * SCALE if bold else 0
        font = self._font(points)
        self.pen.text(self._device(at), words, colour, font, "lm", stroke_width=stroke)

    def _fit(self, words: str, points: float, room: float) -> str:
        """As much of `words` as `room` has place for; nothing if that is hardly any."""
        words = words[:MOST_LETTERS].replace("\n", " ")
        if self._width(words, points) <= room:
            return words
        while words and self._width(f"{words}…", points) > room:
            words = words[:-1]
        return f"{words}…" if len(words) > 2 else ""

    def _width(self, words: str, points: float) -> float:
        return self.pen.textlength(words, self._font(points)) / SCALE

    def _font(self, points: float):
        from PIL import ImageFont

        if points not in self._fonts:
            self._fonts[points] = ImageFont.load_default(points * SCALE)
        return self._fonts[points]

    def _device(self, lengths) -> tuple[int, ...]:
        # Before Pillow 11.2 a point of a polygon had to be a tuple.
        return tuple(round(length * SCALE) for length in lengths)


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50... times a power of ten that is not below `least`."""
    step = 0.001
    while True:
        for times in (1, 2, 5):
            if step * times >= least:
                return step * times
        step *= 10


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a still in CSS pixels (a PNG's header holds both at bytes 16 to 24)."""
    return tuple(int.from_bytes(png[at : at + 4], "big") // SCALE for at in (16, 20))
