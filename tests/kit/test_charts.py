"""Charts: what is drawn is what was given, in words as well; what cannot be drawn is refused."""

import json

import pytest
from PIL.ImageColor import getrgb

from asynclab.charts import COLOURS, FACTORS, GREY, VEGALITE, dots, lines
from asynclab.ground.errors import LabError
from tests.harness.contrast import contrast

PAGES = [
    {"page": "queries", "measure": "throughput", "ratio": 0.8712, "from": 0.5, "to": 1.25},
    {"page": "queries", "measure": "worst [ms]", "ratio": 2.0, "from": 1.5, "to": 3.0},
    {"page": "asks", "measure": "throughput", "ratio": 4.0, "from": 3.5, "to": 4.5},
]
OF_PAGES = {"value": "ratio", "of": "measure", "group": "page", "between": ("from", "to")}
BUSY = [{"visitors": n, "at once": min(n, 4), "server": "gunicorn"} for n in (2, 4, 8)]
OF_BUSY = {"x": "visitors", "y": "at once", "group": "server", "title": "Waiting at once"}


def drawn(chart):
    """What JupyterLab gets to draw, after the way through a notebook's file."""
    return json.loads(json.dumps(chart._repr_mimebundle_()[VEGALITE]))


def layers(picture):
    return picture.get("spec", picture)["layer"]


def test_a_chart_says_in_words_what_it_shows():
    chart = dots(PAGES, **OF_PAGES, title="Two pages")
    assert repr(chart).splitlines() == [
        "Two pages",
        "page     measure     ratio  from  to",
        "queries  throughput  0.871  0.5   1.25",
        "queries  worst [ms]  2      1.5   3",
        "asks     throughput  4      3.5   4.5",
    ]
    assert chart._repr_mimebundle_()["text/plain"] == repr(chart)
    assert drawn(chart)["description"] == repr(chart)


def test_what_was_given_is_drawn():
    picture = drawn(dots(PAGES, **OF_PAGES, title="Two pages"))
    assert picture["data"]["values"] == PAGES
    assert picture["facet"]["row"]["sort"] == ["queries", "asks"]
    ends, dot = (layer["encoding"] for layer in layers(picture))
    assert (ends["x"]["field"], ends["x2"]["field"], dot["x"]["field"]) == ("from", "to", "ratio")
    assert "scale" not in dot["x"]


def test_a_line_stands_where_both_are_equal_and_factors_are_as_far_apart_either_way():
    for picture, channel in (
        (drawn(dots(PAGES, **OF_PAGES, title="", equal=1)), "x"),
        (drawn(lines(BUSY, **OF_BUSY, equal=1)), "y"),
    ):
        rule, *others = layers(picture)
        assert rule["encoding"][channel]["datum"] == 1
        for layer in others:
            assert layer["encoding"][channel]["scale"]["type"] == "log"
            assert layer["encoding"][channel]["axis"]["values"] == FACTORS


def test_colour_is_not_the_only_sign_of_a_line():
    line, points = (layer["encoding"] for layer in layers(drawn(lines(BUSY, **OF_BUSY))))
    assert line["strokeDash"]["field"] == points["shape"]["field"] == "server"
    assert points["shape"]["scale"] == points["color"]["scale"], "or there are two legends"


def test_a_name_of_a_column_is_no_path():
    rows = [{"a.b": 1, "c[d]": 2.5, "e": "one"}]
    *_, points = layers(drawn(lines(rows, x="a.b", y="c[d]", group="e", title="")))
    assert points["encoding"]["x"]["field"] == r"a\.b"
    assert points["encoding"]["y"]["field"] == r"c\[d\]"
    assert points["encoding"]["y"]["title"] == "c[d]"


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"], ids=["light", "dark"])
def test_colours_are_seen_on_both_grounds(ground):
    for colour in (*COLOURS, GREY):
        assert contrast(getrgb(colour), getrgb(ground)) >= 3, colour


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "nothing to draw"),
        ([{"visitors": 2, "server": "gunicorn"}], "A row has no 'at once': it has 'visitors'"),
        ([BUSY[0], {**BUSY[1], "at once": "4"}], "draws numbers; 'at once' of a row is '4'"),
        ([{**BUSY[0], "at once": float("nan")}], "draws numbers; 'at once' of a row is nan"),
        ([{**BUSY[0], "at once": True}], "draws numbers; 'at once' of a row is True"),
        ([{**BUSY[0], "visitors": None}], "draws numbers; 'visitors' of a row is None"),
        ([{**BUSY[0], "at once": 0}], "begins above 0; 'at once' of a row is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(rows, said):
    with pytest.raises(LabError, match=said):
        lines(rows, **OF_BUSY, equal=1)


def test_zero_has_a_place_on_an_axis_of_steps():
    assert "0" in repr(lines([{**BUSY[0], "at once": 0}], **OF_BUSY))


def test_an_end_of_a_range_is_a_number():
    with pytest.raises(LabError, match="'to' of a row is None"):
        dots([{**PAGES[0], "to": None}], **OF_PAGES, title="")
