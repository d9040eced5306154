"""The claims that the lessons put to the test: who says what, in whose words, and the answer.

`notebooks/claims.yml` is their only source. What the fields hold is said at its top.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..ground.errors import LabError

VERDICTS = ("holds", "conditional", "stale", "false")
ASGIREF = "asgiref"  # as a source; any other is a version of Django
CUT = "[...]"  # in a quotation: words are left out here
AS_DOCUMENTED = "as documented"  # for an article: it repeats what the documentation says
ELSEWHERE = "elsewhere"  # in what a script finds: on every stack that is not named before


@dataclass(frozen=True)
class Quotation:
    """Words of the documentation, and where they stand.

    Args:
        sources: the versions of Django, "5.2" and "6.1", or "asgiref".
        page: the page below docs/, as "topics/async"; for asgiref "README".
        heading: the heading that the words stand under.
        quote: the words, in Markdown; "[...]" where some are left out.
    """

    sources: tuple[str, ...]
    page: str
    heading: str
    quote: str

    @property
    def anchor(self) -> str:
        """The heading's anchor on the page, as Sphinx makes it."""
        return re.sub(r"[^a-z0-9]+", "-", self.heading.lower()).strip("-")

    @property
    def link(self) -> str:
        """The address of the heading, in the newest of the sources."""
        if ASGIREF in self.sources:
            return f"https://github.com/django/asgiref/blob/main/{self.page}.rst"
        root = f"https://docs.djangoproject.com/en/{self.sources[-1]}"
        return f"{root}/{self.page}/#{self.anchor}"


@dataclass(frozen=True)
class Claim:
    """A sentence about async Django, whose it is, and what the machine says of it.

    `article` is what articles say, in our own words, or AS_DOCUMENTED. `found` holds what the
    claim's script prints, beside the name of each stack that differs ("Python 3.11", "Django 5.2")
    or ELSEWHERE. The other fields are explained at the top of claims.yml.
    """

    id: str
    lesson: str
    verdict: str
    says: str
    article: str
    machine: str
    why: str = ""
    docs: tuple[Quotation, ...] = ()
    stacks: tuple[tuple[str, str], ...] = ()
    found: tuple[tuple[str, str], ...] = ()
    needs: str = ""

    def __post_init__(self):
        if self.verdict not in VERDICTS:
            raise TypeError(f"{self.id} has the verdict {self.verdict!r}")
        if self.article == AS_DOCUMENTED and not self.docs:
            raise TypeError(f"{self.id} has no documentation that an article could repeat")

    @property
    def disputed(self) -> bool:
        """Whether the claim is not simply right, so that a script of its own shows it."""
        return self.verdict != "holds"

    @property
    def packages(self) -> set[str]:
        """What its script imports beside Django, asgiref and the standard library."""
        return set(re.findall(r"`(\w+)`", self.needs))

    def found_on(self, *names: str) -> str | None:
        """Return what its script prints on a stack; None if claims.yml does not say.

        Args:
            names: what the stack is called, such as "Python 3.11" and "Django 5.2".
        """
        return next((text for name, text in self.found if name in (*names, ELSEWHERE)), None)


def read_claims(checkout: Path) -> list[Claim]:
    """Return the claims in `notebooks/claims.yml`.

    Raises:
        LabError: the file is missing, or a row is not a claim.
    """
    path = checkout / "notebooks" / "claims.yml"
    try:
        return [_claim(**row) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    except (OSError, TypeError, yaml.YAMLError) as error:
        raise LabError(f"notebooks/claims.yml cannot be read: {error}") from None


def _claim(*, docs=(), stacks=None, found=None, **fields) -> Claim:
    return Claim(
        found=tuple(({ELSEWHERE: found} if isinstance(found, str) else found or {}).items()),
        docs=tuple(_quotation(**each) for each in docs),
        stacks=tuple((stacks or {}).items()),
        **fields,
    )


def _quotation(*, sources, **fields) -> Quotation:
    return Quotation(sources=tuple(sources), **fields)
