"""Limits of a service: sizes of requests, length of the queue, timeouts."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """The limits of a service.

    Parameters
    ----------
    read_only
        Refuse requests that would change the index.
    max_body
        Largest body with one document, in bytes.
    max_batch_body
        Largest body of a batch, in bytes.
    max_batch
        Most documents in a batch.
    max_held
        Most bytes of request bodies in memory at once, whether being received or waiting.
    max_waiting
        Most requests waiting for the index or in progress.
    timeout
        Seconds to receive a body, and seconds a request waits for its turn.

    Raises
    ------
    ConfigError
        If a limit is not positive, or no body of the largest size would fit in ``max_held``.
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
            wrong.append(
                f"max_held is {self.max_held}, but must not be less than max_body and max_batch_body: such a body could never be received"
            )
        if wrong:
            raise ConfigError("; ".join(wrong) + ".")
