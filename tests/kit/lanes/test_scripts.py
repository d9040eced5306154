"""One name in the scripts and styles of the pages means one thing."""

import re
from collections import defaultdict

from tests.harness.checkout import ROOT

KIT = ROOT / "asynclab"
# What anywidget calls in each of its modules.
ENTRIES = {"initialize", "render"}
# A definition ends where the next line begins that is not indented.
DEFINED = re.compile(
    r"^(?:async )?(?:function|class|const) (\w+).*(?:\n(?: .*|\}.*|\].*)?$)*", re.MULTILINE
)
PREFIXES = {"lanes": "al-", "playground": "apl-", "predict": "ap-"}


def test_a_name_is_defined_in_one_way():
    found = defaultdict(set)
    for script in KIT.rglob("*.js"):
        for each in DEFINED.finditer(script.read_text(encoding="utf-8")):
            found[each[1]].add(each[0].strip())
    assert {"add", "keepKeys", "make", "Store", "View"} <= set(found)
    assert [name for name in found if len(found[name]) > 1 and name not in ENTRIES] == []


def test_a_class_is_made_in_the_room_whose_prefix_it_bears():
    for room, prefix in PREFIXES.items():
        for script in (KIT / room).glob("*.js"):
            made = re.findall(r"""["' `](a[a-z]*-)[a-z]+""", script.read_text(encoding="utf-8"))
            strange = {each for each in made if each in PREFIXES.values()} - {prefix}
            assert (script.name, strange) == (script.name, set())
