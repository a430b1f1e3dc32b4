"""Web pages as a browser names them, and the owner's rules which of them may show a chat: hosts are compared whole (security.md 14)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a page, as browsers send it: lower case, never a path."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Origin | None":
        """None for `null`, for anything that is more than an origin, and for what is none."""
        try:
            parts = urlsplit(text)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return None
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username or parts.path or parts.query or parts.fragment:
            return None
        return cls(parts.scheme, parts.hostname, port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True)
class Rule:
    """One allowed host as the owner wrote it: `shop.example`, `*.shop.example` (its subdomains), with a scheme or a port if it needs one.

    Without a scheme https is meant, and http too for a host of this machine; without a port the scheme's own.
    """

    scheme: str
    host: str
    port: int
    below: bool

    @classmethod
    def parse(cls, text: str) -> "Rule | None":
        """None when the text names no host."""
        scheme, _sep, rest = text.strip().lower().rstrip("/").rpartition("://")
        try:
            parts = urlsplit(f"//{rest}")
            port = parts.port or 0
            bare = (parts.netloc.rpartition(":")[0] if port else parts.netloc).encode("idna").decode()
        except ValueError:  # UnicodeError is one too
            return None
        below = bare.startswith("*.")
        if parts.path or parts.query or parts.username or not _HOST.fullmatch(bare) or scheme not in {"", *DEFAULT_PORTS}:
            return None
        if below and bare.count(".") < 2:  # noqa: PLR2004  "*.example" would be a whole top-level domain
            return None
        return cls(scheme, bare.strip("[]").removeprefix("*."), port, below=below)

    def allows(self, origin: Origin) -> bool:
        host_fits = origin.host.endswith(f".{self.host}") if self.below else origin.host == self.host
        return host_fits and origin.scheme in self.schemes() and origin.port == (self.port or DEFAULT_PORTS[origin.scheme])

    def schemes(self) -> tuple[str, ...]:
        if self.scheme:
            return (self.scheme,)
        return ("https", "http") if self.host in LOCAL else ("https",)

    def sources(self) -> list[str]:
        """The same rule in the words of a Content-Security-Policy."""
        host = ("*." if self.below else "") + (f"[{self.host}]" if ":" in self.host else self.host)
        return [f"{scheme}://{host}" + (f":{self.port}" if self.port else "") for scheme in self.schemes()]


def rules(allowed_hosts: Iterable[object]) -> list[Rule]:
    """The rules that can be read; one that cannot allows nothing."""
    return [rule for rule in (Rule.parse(str(text)) for text in allowed_hosts) if rule]
