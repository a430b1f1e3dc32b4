"""What a file is, by its first bytes and never by its name or the sender's word (security.md 13)."""

import re
from dataclasses import dataclass

HEAD_BYTES = 4096
# Raster images, sound and film that browsers show without running anything; everything else is only ever downloaded.
INLINE = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "audio/mpeg", "audio/ogg", "audio/wav", "video/mp4", "video/webm"}
)
DOWNLOAD = "application/octet-stream"

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (b"\xff\xd8\xff", "image", "image/jpeg"),
    (b"GIF87a", "image", "image/gif"),
    (b"GIF89a", "image", "image/gif"),
    (b"%PDF-", "file", "application/pdf"),
    (b"ID3", "audio", "audio/mpeg"),
    (b"\xff\xfb", "audio", "audio/mpeg"),
    (b"\xff\xf3", "audio", "audio/mpeg"),
    (b"OggS", "audio", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video", "video/webm"),
    (b"PK\x03\x04", "file", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file", "application/vnd.ms-office"),
    (b"{\\rtf", "file", "application/rtf"),
)
_RIFF = {b"WEBP": ("image", "image/webp"), b"WAVE": ("audio", "audio/wav")}
_OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"<\s*(?:!doctype\s+html|html|script|svg|\?xml|body|iframe)", re.IGNORECASE)


@dataclass(frozen=True)
class FileType:
    """`kind` as messages name it (image, audio, video, file)."""

    kind: str
    mime: str


def file_type(head: bytes, *, name: str) -> FileType | None:
    """What begins with `head` (4 kB are enough); None for what is not accepted: programs, unknown binary data, an empty file.

    The name only chooses among documents that are all the same kind of archive inside.
    """
    found = next((FileType(kind, mime) for magic, kind, mime in _MAGIC if head.startswith(magic)), None)
    if found and found.mime == "application/zip":
        suffix = name[name.rfind(".") :].lower() if "." in name else ""
        return FileType("file", _OFFICE.get(suffix, found.mime))
    return found or _container(head) or _text(head)


def _container(head: bytes) -> FileType | None:
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return FileType(*_RIFF[head[8:12]])
    if head[4:8] == b"ftyp":
        return FileType("audio", "audio/mp4") if head[8:11] == b"M4A" else FileType("video", "video/mp4")
    return None


def _text(head: bytes) -> FileType | None:
    """Plain text; markup is kept as text too, so that no browser ever runs it."""
    if not head.strip() or _CONTROLS.search(head) or not _is_utf8(head):
        return None
    return FileType("file", "image/svg+xml" if b"<svg" in head[:1024].lower() else "text/html" if _MARKUP.search(head) else "text/plain")


def _is_utf8(head: bytes) -> bool:
    """A character that is cut off at the end of the head is no fault."""
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False


def safe_name(name: str) -> str:
    """The last part of a file's name without what would confuse a header, a path or a reader (control and direction characters)."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(char for char in last if char.isprintable() and char not in '"<>|:*?;%').strip(" .")
    return clean[-120:] or "file"
