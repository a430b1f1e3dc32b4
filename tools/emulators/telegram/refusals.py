"""Errors in the form in which the Bot API answers them."""

from typing import Any


class RefusalError(Exception):
    """A call that is answered with `{"ok": false, ...}`; `parameters` is the Bot API's ResponseParameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The JSON that the Bot API sends for this error."""
        answer: dict[str, Any] = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


def bad_request(description: str, **parameters: int) -> RefusalError:
    """400 with the prefix that the Bot API puts before every such description."""
    return RefusalError(400, f"Bad Request: {description}", **parameters)


def flood(retry_after: int) -> RefusalError:
    """429 with the number of seconds in which every call is refused."""
    return RefusalError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


def conflict(description: str) -> RefusalError:
    """409: two consumers of one bot's updates."""
    return RefusalError(409, f"Conflict: {description}")
