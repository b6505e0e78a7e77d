"""What a service allows: how large requests may be, how many may wait and how long."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """The limits of a service.

    Parameters
    ----------
    read_only : refuse what would change the index
    max_body : bytes in the body of a request with one document
    max_batch_body : bytes in the body of a batch
    max_batch : documents in a batch
    max_held : bytes of bodies that are in memory at once, those being received and those waiting
    max_waiting : requests that wait for the index or are worked on
    timeout : seconds in which a body must have come, and seconds that a request waits for its turn
    """

    read_only: bool = False
    max_body: int = 2 << 20
    max_batch_body: int = 16 << 20
    max_batch: int = 1000
    max_held: int = 128 << 20
    max_waiting: int = 64
    timeout: float = 30.0

    def __post_init__(self) -> None:
        wrong = [
            f"{field.name} is {getattr(self, field.name)}, but must be more than 0"
            for field in fields(self)
            if field.name != "read_only" and not getattr(self, field.name) > 0
        ]
        if self.max_held < max(self.max_body, self.max_batch_body):
            wrong.append(f"max_held is {self.max_held}, but must not be less than max_body and max_batch_body: no such body could come in")
        if wrong:
            raise ConfigError("; ".join(wrong) + ".")
