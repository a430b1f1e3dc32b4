"""What blocks say: parameters of texts, media and buttons, shared by the blocks that talk, and the content that is made of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from apps.bots.adapter import Capabilities
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.errors import NodeError
from apps.scenarios.engine.escaping import Target
from apps.scenarios.engine.params import MORE, STABLE_ID, Identifier, ParamsModel, Template, Text, Value
from apps.scenarios.engine.plain import shown
from apps.scenarios.engine.reading import normal, read_number
from apps.scenarios.engine.wording import _, gettext_noop

if TYPE_CHECKING:
    from apps.scenarios.engine.context import Context

MARKUP_TARGET: dict[str, Target] = {"plain": "", "html": "html"}


class MediaItem(ParamsModel):
    kind: Literal["image", "video", "audio", "voice", "file", "sticker"] = Field(title=gettext_noop("Kind"))
    url: Text = Field(Text(""), title=gettext_noop("Address"), description=gettext_noop("A public address, placeholders allowed."))
    file: str = Field(
        "",
        max_length=60,
        title=gettext_noop("File"),
        description=gettext_noop("Key of a file under Settings, Files; instead of an address."),
        json_schema_extra={"x-role": "file"},
    )
    attachment: int | None = Field(None, title=gettext_noop("File of a chat"), json_schema_extra={"x-hidden": True})
    name: Template = Field(Template(""), title=gettext_noop("File name"), json_schema_extra=MORE)
    caption: Text = Field(Text(""), title=gettext_noop("Caption"))


class Place(ParamsModel):
    latitude: Value = Field(title=gettext_noop("Latitude"))
    longitude: Value = Field(title=gettext_noop("Longitude"))
    title: Text = Field(Text(""), title=gettext_noop("Title"))


class Card(ParamsModel):
    """Somebody's name and phone, which messengers show as a contact."""

    phone: Template = Field(title=gettext_noop("Phone"))
    name: Text = Field(Text(""), title=gettext_noop("Name"))


class Sayable(ParamsModel):
    """Parameters of everything that is said."""

    text: Text = Field(
        Text(""), title=gettext_noop("Text"), description=gettext_noop("Placeholders such as {{ user_name }} are filled in.")
    )
    format: Literal["plain", "html"] = Field("plain", title=gettext_noop("Format"), json_schema_extra=MORE)
    media: tuple[MediaItem, ...] = Field((), max_length=10, title=gettext_noop("Media"))
    typing: float = Field(0, ge=0, le=20, title=gettext_noop("Seconds of “typing…” before it"), json_schema_extra=MORE)
    silent: bool = Field(default=False, title=gettext_noop("Without a sound"), json_schema_extra=MORE)


class Choice(ParamsModel):
    """An answer to choose. `id` is stable and routes; the label is what people see."""

    id: Identifier = Field(title=gettext_noop("Id"), json_schema_extra=STABLE_ID)
    label: Text = Field(title=gettext_noop("Label"))
    value: Template = Field(
        Template(""),
        title=gettext_noop("Value"),
        description=gettext_noop("What is stored; the label when empty."),
        json_schema_extra=MORE,
    )


def content_of(
    ctx: "Context", said: Sayable, *, buttons: list[list[Json]] | None = None, keyboard: str = "inline", text: Text | None = None
) -> Json:
    """The content (shape of `apps/bots/content.py`) of what a block says; {} when nothing is left to say."""
    target = MARKUP_TARGET[said.format]
    words = ctx.text(said.text if text is None else text, target=target)
    media = [found for item in said.media if text is None and (found := _media(ctx, item, target))]
    if not words.strip() and not media:
        if buttons:
            raise NodeError("empty", _("the message has buttons but its text is empty. Write a text or check its placeholders."))
        return {}
    content: Json = {"text": words, "format": said.format, "media": media, "typing": said.typing, "silent": said.silent}
    return {**content, "buttons": buttons, "keyboard": keyboard} if buttons else content


def _media(ctx: "Context", item: MediaItem, target: Target) -> Json | None:
    url = ctx.text(item.url, target="url")
    if not url and not item.file and item.attachment is None:
        return None
    return {
        "kind": item.kind,
        "url": url,
        "file": item.file,
        "attachment": item.attachment,
        "name": ctx.template(item.name),
        "caption": ctx.text(item.caption, target=target),
    }


def location_of(ctx: "Context", place: Place) -> Json:
    latitude, longitude = (read_number(ctx.value(value)) for value in (place.latitude, place.longitude))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004
        raise NodeError("location", _("the latitude and longitude are no place on earth. Check their placeholders."))
    return {"latitude": latitude, "longitude": longitude, "title": ctx.text(place.title)}


def in_rows(buttons: list[Json], columns: int) -> list[list[Json]]:
    return [buttons[start : start + columns] for start in range(0, len(buttons), columns)]


def chosen(text: str, labels: Mapping[str, str], *, by_number: bool = True) -> str | None:
    """The id of the choice that a typed answer means: its label, or its number where buttons were shown as a numbered list."""
    wanted = normal(text).strip(" .,!?")
    if not wanted:
        return None
    for name, label in labels.items():
        if wanted in {normal(label).strip(" .,!?"), normal(label)} or normal(text) == normal(label):
            return name
    number = wanted.strip("().#№ ")
    if by_number and number.isdecimal() and len(number) <= 3 and 1 <= int(number) <= len(labels):  # noqa: PLR2004
        return list(labels)[int(number) - 1]
    return None


def option_list(values: Any) -> list[tuple[str, str, Any]]:
    """Choices from data: texts, or objects with `label` (or `name`, `title`) and `id`; triples of id, label and value."""
    found: list[tuple[str, str, Any]] = []
    for index, item in enumerate(values if isinstance(values, list) else [], start=1):
        if isinstance(item, dict):
            label = shown(next((item[key] for key in ("label", "name", "title") if item.get(key)), item.get("id", "")))
            found.append((f"option-{index}", label, item))
        else:
            found.append((f"option-{index}", shown(item), item))
    return found


def file_findings(said: Sayable, files: Collection[str] | None) -> Iterator[tuple[str, str, str]]:
    """Triples of field, code and message for files that are not there; `files` None = not known."""
    for place, item in enumerate(said.media):
        if item.file and files is not None and item.file not in files:
            yield (
                f"media.{place}.file",
                "unknown_file",
                _("There is no file “%(file)s”. Upload it under Settings, Files.") % {"file": item.file},
            )


def channel_findings(
    field: str, labels: Iterable[tuple[str, Text]], *, keyboard: str, capabilities: Iterable[Capabilities]
) -> Iterator[tuple[str, str, str]]:
    """Triples of field, code and warning where buttons are too many or their labels too long for a connected channel.

    Warnings only: content degrades to a numbered list or a cut label there.
    """
    known = list(labels)
    for limits in capabilities:
        most = limits.inline_buttons if keyboard == "inline" else limits.reply_buttons
        if most and len(known) > most:
            message = _(
                "%(count)s buttons, but a connected channel shows %(most)s. People there get a numbered list; fewer buttons read better."
            )
            yield field, "too_many_buttons", message % {"count": len(known), "most": most}
            break
    shortest = min((limits.label_chars for limits in capabilities if limits.label_chars), default=0)
    for path, label in known:
        longest = max((len(text) for _language, text in label.texts() if "{{" not in text), default=0)
        if shortest and longest > shortest:
            message = _("The label has %(chars)s characters, but a connected channel shows %(most)s. Shorten it.")
            yield f"{path}.label", "long_label", message % {"chars": longest, "most": shortest}
