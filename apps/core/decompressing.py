"""Reading a compressed reply without ever holding more than is allowed."""

import zlib
from typing import Protocol

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Decoder(Protocol):
    """Turns chunks as received into at most `room` bytes each time; `pending` is what is to be fed again."""

    def feed(self, data: bytes, room: int) -> bytes: ...


class Plain:
    def feed(self, data: bytes, room: int) -> bytes:  # noqa: ARG002
        return data


class Inflating:
    """gzip (also several members) or zlib. Gives one byte more than `room` when there is more, which the caller takes as too large."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(GZIP_OR_ZLIB)

    def feed(self, data: bytes, room: int) -> bytes:
        parts: list[bytes] = []
        left = room + 1
        while data and left > 0:
            part = self._inflate.decompress(data, left)
            parts.append(part)
            left -= len(part)
            data = self._inflate.unconsumed_tail
            if self._inflate.eof:
                data = self._inflate.unused_data
                self._inflate = zlib.decompressobj(GZIP_OR_ZLIB)
        return b"".join(parts)


class UnknownEncodingError(Exception):
    """The reply is compressed in a way that we did not offer."""


def decoder_for(content_encoding: str) -> Decoder:
    name = content_encoding.strip().lower()
    if name in ("", "identity"):
        return Plain()
    if name in ("gzip", "x-gzip", "deflate"):
        return Inflating()
    raise UnknownEncodingError(name[:40])
