"""Code from a description (JS-5). Whoever has a model of the agents registers an author; without one the page says so plainly."""

from typing import Protocol


class Author(Protocol):
    """`write` gives JavaScript for a custom action from a description in words, with the present code to change."""

    def write(self, description: str, *, code: str) -> str: ...


_authors: list[Author] = []


def register(author: Author) -> None:
    """Called once by the layer that has models."""
    _authors[:] = [author]


def author() -> Author | None:
    return _authors[0] if _authors else None
