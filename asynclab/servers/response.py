"""A whole response, as a client has it in the end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """What the server sent: the status, the headers by their lower-case names, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()
