"""Rows of numbers as a chart: drawn by JupyterLab's own Vega-Lite, and the same rows in words.

JupyterLab carries Vega-Lite 5, so nothing is installed, and nothing is fetched. A chart has the
page's own ground and colour of text, also when its theme changes. Where Vega-Lite is not drawn, the
words stand in its place; they are the chart's alternative text as well.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Real

from .ground.errors import LabError

VEGALITE = "application/vnd.vegalite.v5+json"
WIDE = 280  # pixels
COLOURS = ["#2a8fd0", "#d55e00", "#00936b", "#b565a7"]
"""Each has a contrast of 3 at least to the grounds of JupyterLab's light theme and its dark one."""
GREY = "#888888"
INK = "currentColor"
"""The colour of the text around it. JupyterLab would choose one of Vega's themes for good."""
CONFIG = {
    "background": "transparent",
    "range": {"category": COLOURS},
    "font": "sans-serif",
    "title": {"color": INK},
    "view": {"stroke": GREY},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": GREY,
        "tickColor": GREY,
        "gridColor": GREY,
        "gridOpacity": 0.3,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "symbolStrokeWidth": 0},
    "header": {"labelColor": INK, "titleColor": INK},
}
FACTORS = [2.0**power for power in range(-6, 11)]
"""What an axis of factors has marks at."""

Row = Mapping[str, object]


class Chart:
    """A chart, for the last line of a cell.

    Args:
        title: what is to be seen.
        rows: what it was drawn of.
        picture: what is Vega-Lite's own of it, without data and title.
    """

    def __init__(self, title: str, rows: Sequence[Row], picture: Mapping[str, object]):
        self._title, self._rows, self._picture = title, rows, picture

    def __repr__(self) -> str:
        names = list(self._rows[0])
        cells = [names, *([_said(row[name]) for name in names] for row in self._rows)]
        wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join([self._title, *(_line(row, wide) for row in cells)])

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        return {"text/plain": repr(self), VEGALITE: self._vegalite()}

    def _vegalite(self) -> dict[str, object]:
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "description": repr(self),
            "title": {"text": self._title, "anchor": "start"},
            "data": {"values": [dict(row) for row in self._rows]},
            **self._picture,
            "config": CONFIG,
            # In the notebook's metadata JupyterLab would keep the theme beside them.
            "usermeta": {"embedOptions": {"renderer": "svg", "actions": False}},
        }


def dots(
    rows: Sequence[Row],
    *,
    value: str,
    of: str,
    group: str,
    between: tuple[str, str],
    title: str,
    equal: float | None = None,
) -> Chart:
    """Draw a dot for each row, with the range around it.

    Args:
        rows: mappings with the same keys, which are the columns named below. They are drawn in
            their order.
        value: the column with the number that the dot stands at.
        of, group: the columns that name the dot, and what it belongs to.
        between: the columns with the ends of the range.
        title: what is to be seen.
        equal: a value to draw a line at. The axis then counts in factors rather than in steps.

    Raises:
        LabError: there are no rows, one lacks a column, or has something else than a number there,
            or a number that an axis of factors has no place for.
    """
    _require(rows, [of, group], [value, *between], above_zero=equal is not None)
    y = {**_names(of), "axis": {"title": None}}
    colour = {**_names(of), "legend": None}
    ends = {"x": _numbers(between[0], equal, value), "x2": {"field": _field(between[1])}}
    layers = [
        {
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.6},
            "encoding": {"y": y, "color": colour, **ends},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "tooltip": True},
            "encoding": {"y": y, "color": colour, "x": _numbers(value, equal)},
        },
    ]
    groups = {**_names(group), "sort": _in_order(rows, group), "header": _HEADER}
    picture = {
        "facet": {"row": groups},
        "spec": {"width": WIDE, "height": {"step": 22}, "layer": [*_equal("x", equal), *layers]},
        "spacing": 6,
    }
    return Chart(title, rows, picture)


_HEADER = {"title": None, "labelAngle": 0, "labelAlign": "left", "labelFontSize": 12}


def lines(
    rows: Sequence[Row],
    *,
    x: str,
    y: str,
    group: str,
    title: str,
    equal: float | None = None,
) -> Chart:
    """Draw a line for each group of rows.

    Args:
        rows: mappings with the same keys, which are the columns named below.
        x, y: the columns with the numbers. The values of `x` stand side by side at equal distances.
        group: the column that tells whose line a row belongs to.
        title: what is to be seen.
        equal: a value of `y` to draw a line at. The axis then counts in factors rather than in
            steps.

    Raises:
        LabError: as for `dots`.
    """
    _require(rows, [group], [y], above_zero=equal is not None)
    _require(rows, [], [x], above_zero=False)
    # With the same domain, the legends of colour, shape and dashes are one.
    sign = {**_names(group), "scale": {"domain": _in_order(rows, group)}}
    place = {
        "x": {**_names(x), "type": "ordinal", "axis": {"labelAngle": 0}},
        "y": _numbers(y, equal),
        "color": sign,
    }
    layers = [
        {"mark": "line", "encoding": {**place, "strokeDash": sign}},
        {
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1, "tooltip": True},
            "encoding": {**place, "shape": sign},
        },
    ]
    picture = {"width": WIDE, "height": 220, "layer": [*_equal("y", equal), *layers]}
    return Chart(title, rows, picture)


def _in_order(rows: Sequence[Row], column: str) -> list[object]:
    return list(dict.fromkeys(row[column] for row in rows))


def _equal(channel: str, value: float | None) -> list[dict]:
    if value is None:
        return []
    mark = {"type": "rule", "color": GREY, "strokeDash": [4, 4]}
    return [{"mark": mark, "encoding": {channel: {"datum": value, "type": "quantitative"}}}]


def _field(column: str) -> str:
    """A column's name as Vega-Lite takes it: it reads dots and brackets as a path."""
    return "".join(f"\\{each}" if each in ".[]\\" else each for each in column)


def _names(column: str) -> dict[str, object]:
    return {"field": _field(column), "title": column, "type": "nominal", "sort": None}


def _numbers(column: str, equal: float | None, title: str = "") -> dict[str, object]:
    described = {"field": _field(column), "title": title or column, "type": "quantitative"}
    if equal is None:
        return described
    return {**described, "scale": {"type": "log", "base": 2}, "axis": {"values": FACTORS}}


def _require(
    rows: Sequence[Row], names: Sequence[str], numbers: Sequence[str], above_zero: bool
) -> None:
    if not rows:
        raise LabError("There is nothing to draw: a chart takes at least one row.")
    for row in rows:
        if missing := [name for name in (*names, *numbers) if name not in row]:
            raise LabError(f"A row has no {missing[0]!r}: it has {', '.join(map(repr, row))}.")
        for name in numbers:
            value = row[name]
            if not isinstance(value, Real) or isinstance(value, bool) or not isfinite(value):
                raise LabError(f"A chart draws numbers; {name!r} of a row is {value!r}.")
            if above_zero and value <= 0:
                raise LabError(f"An axis of factors begins above 0; {name!r} of a row is {value}.")


def _said(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _line(cells: Sequence[str], wide: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, cells, wide)).rstrip()
