"""Methods that send files, and getFile."""

import mimetypes
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tools.emulators.telegram.calls import Call, Upload
from tools.emulators.telegram.posting import CAPTION_LENGTH, formatted, post, reached_chat
from tools.emulators.telegram.refusals import bad_request
from tools.emulators.telegram.state import Bot, Json, StoredFile, World

MEGABYTE = 1024 * 1024
UPLOAD_BYTES = {"photo": 10 * MEGABYTE}
OTHER_UPLOAD_BYTES = 50 * MEGABYTE
FETCH_BYTES = {"photo": 5 * MEGABYTE}
OTHER_FETCH_BYTES = 20 * MEGABYTE
DOWNLOAD_BYTES = 20 * MEGABYTE
ALBUM_SIZES = range(2, 11)
ALBUM_FAMILIES = ({"photo", "video"}, {"audio"}, {"document"})
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


async def resolved(world: World, call: Call, *, kind: str, source: Any) -> StoredFile:
    """The file that a parameter means: an upload, a known `file_id` or an address to fetch."""
    upload = call.files.get(kind)
    name = source.removeprefix("attach://") if isinstance(source, str) else ""
    if isinstance(source, str) and source.startswith("attach://"):
        upload = call.files.get(name)
    if upload is not None:
        return uploaded(world, upload, kind=kind)
    if not source:
        raise bad_request(f"there is no {kind} in the request")
    if source in world.files:
        return world.files[source]
    return await fetched(world, str(source), kind=kind)


def uploaded(world: World, upload: Upload, *, kind: str) -> StoredFile:
    """Keep an uploaded file that is neither empty nor too big."""
    if not upload.data:
        raise bad_request("file must be non-empty")
    if len(upload.data) > UPLOAD_BYTES.get(kind, OTHER_UPLOAD_BYTES):
        raise bad_request(f"file is too big for {kind}")
    return world.store(data=upload.data, name=upload.name, mime=upload.mime)


async def fetched(world: World, url: str, *, kind: str) -> StoredFile:
    """Fetch from loopback addresses, take every other http(s) address as good without leaving the machine."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise bad_request("wrong file identifier/HTTP URL specified")
    name = parts.path.rpartition("/")[2] or "file"
    data = await downloaded(url) if parts.hostname in LOOPBACK else b"fetched elsewhere"
    if len(data) > FETCH_BYTES.get(kind, OTHER_FETCH_BYTES):
        raise bad_request("failed to get HTTP URL content")
    return world.store(data=data, name=name, mime=mimetypes.guess_type(name)[0] or "application/octet-stream")


async def downloaded(url: str) -> bytes:
    """Bytes behind an address, or the refusal that Telegram gives when it cannot read it."""
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
            return await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        raise bad_request("failed to get HTTP URL content") from None


def shown(kind: str, stored: StoredFile) -> Any:
    """The part of a message that shows a file of one kind."""
    base: Json = {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": len(stored.data)}
    named = base | {"file_name": stored.name, "mime_type": stored.mime}
    sized = {"width": 640, "height": 480}
    shapes: dict[str, Any] = {
        "photo": [base | {"file_unique_id": f"{stored.unique_id}s", "width": 90, "height": 68}, base | sized],
        "video": named | sized | {"duration": 3},
        "animation": named | sized | {"duration": 3},
        "audio": named | {"duration": 3},
        "voice": base | {"duration": 3, "mime_type": "audio/ogg"},
        "video_note": base | {"length": 240, "duration": 3},
        "sticker": base | {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
        "document": named,
    }
    return shapes[kind]


def message_parts(kind: str, stored: StoredFile) -> Json:
    """Fields of a message with one file; an animation is also shown as a document, as Telegram does."""
    parts = {kind: shown(kind, stored)}
    return parts | {"document": shown("document", stored)} if kind == "animation" else parts


def sender(kind: str) -> Any:
    """The method that sends one file of this kind."""

    async def send(world: World, bot: Bot, call: Call) -> Any:
        chat = reached_chat(world, bot, call)
        caption = {} if kind in {"sticker", "video_note"} else formatted(call, text_field="caption", limit=CAPTION_LENGTH)
        stored = await resolved(world, call, kind=kind, source=call.params.get(kind))
        return post(bot, chat, call, message_parts(kind, stored) | caption)

    return send


async def send_media_group(world: World, bot: Bot, call: Call) -> Any:
    """sendMediaGroup: 2-10 files of kinds that go together, no buttons."""
    chat, items = reached_chat(world, bot, call), call.tree("media") or []
    if len(items) not in ALBUM_SIZES:
        raise bad_request("wrong number of messages: an album has 2-10 items")
    kinds = {item.get("type") for item in items}
    if not any(kinds <= family for family in ALBUM_FAMILIES):
        raise bad_request("the specified media can't be mixed in one album")
    captions = [formatted(Call(call.method, item), text_field="caption", limit=CAPTION_LENGTH) for item in items]
    stored = [await resolved(world, call, kind=item["type"], source=item.get("media")) for item in items]
    group = {"media_group_id": str(next(bot.message_ids))}
    plain = Call(call.method)
    return [
        post(bot, chat, plain, message_parts(item["type"], file) | caption | group)
        for item, file, caption in zip(items, stored, captions, strict=True)
    ]


def get_file(world: World, _bot: Bot, call: Call) -> Any:
    """getFile: 20 MB at most."""
    stored = world.files.get(call.text("file_id"))
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(stored.data) > DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": len(stored.data), "file_path": stored.path}


KINDS = ("photo", "video", "animation", "audio", "voice", "video_note", "sticker", "document")
METHODS = {f"send{kind.title().replace('_', '')}": sender(kind) for kind in KINDS} | {
    "sendMediaGroup": send_media_group,
    "getFile": get_file,
}
