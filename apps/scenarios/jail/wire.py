"""Frames between the parent and the child: four bytes of length, then UTF-8 text. The blocking half, used by the child."""

import os
import struct

HEADER = struct.Struct(">I")
MAX_FRAME = 64 * 1024 * 1024  # what the child believes of the parent; the parent has a far smaller limit for the child


def read(descriptor: int) -> bytes:
    """One frame; b"" when the other side is gone."""
    header = _exactly(descriptor, HEADER.size)
    if not header:
        return b""
    return _exactly(descriptor, min(HEADER.unpack(header)[0], MAX_FRAME))


def write(descriptor: int, body: bytes) -> None:
    view = memoryview(HEADER.pack(len(body)) + body)
    while view:
        view = view[os.write(descriptor, view) :]


def _exactly(descriptor: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(descriptor, size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)
