"""Everything that the builder's palette, forms and completion show, made from the registries and from what the bot's installation knows."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.bots.adapter import Capabilities
from apps.bots.models import Bot
from apps.bots.registry import adapters
from apps.core.models import Constant, InstanceSetting, StoredFile
from apps.identity.models import ClientField
from apps.scenarios.action import Action
from apps.scenarios.block import NOWHERE, Block, Exit
from apps.scenarios.engine import described
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.definition import Definition
from apps.scenarios.registry import actions_for, blocks

GROUPS = {
    "talk": gettext_lazy("Talk"),
    "logic": gettext_lazy("Logic"),
    "data": gettext_lazy("Data and systems"),
    "flow": gettext_lazy("Flow"),
}
WORLD_HELP = {
    "bot": gettext_lazy("the bot: bot.name"),
    "channel": gettext_lazy("the chat's channel: channel.kind"),
    "constants": gettext_lazy("a constant of the installation"),
    "instance_settings": gettext_lazy("a setting of the installation; a secret one works in actions only"),
    "language": gettext_lazy("language of the dialogue"),
    "lead": gettext_lazy("the person in this channel: lead.code"),
    "now": gettext_lazy("this moment in the person's time zone"),
    "person": gettext_lazy("the person with all fields: person.email"),
    "today": gettext_lazy("today's date in the person's time zone"),
    "user_input": gettext_lazy("the last message of the person"),
    "user_name": gettext_lazy("the person's name"),
}


def describe(bot: Bot) -> Json:
    """The form of `BuilderMetadataSerializer`, in the language of the request."""
    return {
        "groups": [{"name": name, "label": label} for name, label in _groups()],
        "blocks": [_block(kind) for kind in blocks],
        "actions": [_action(kind, action) for kind, action in actions_for(bot.pk).items()],
        "operators": described.operators(_),
        "filters": described.filters(_),
        "names": [*_world(), *_known()],
        "files": list(StoredFile.objects.order_by("key").values_list("key", flat=True)),
        "channels": [_channel(kind) for kind in _kinds(bot)],
        "definition_schema": translated(Definition.model_json_schema()),
    }


def _groups() -> list[tuple[str, str]]:
    known = {name: str(label) for name, label in GROUPS.items()}
    return list({**known, **{block.group: known.get(block.group, block.group) for block in blocks.values()}}.items())


def _block(kind: str) -> Json:
    block = blocks[kind]
    return {
        "kind": kind, "label": str(block.label), "help": str(block.help), "icon": block.icon, "group": block.group, "begins": block.begins,
        "schema": translated(block.Params.model_json_schema()), "exits": [exit_facts(spec) for spec in first_exits(block)],
    }  # fmt: skip


def _action(kind: str, action: Action[Any]) -> Json:
    return {
        "kind": kind, "label": str(getattr(action, "label", kind)), "help": str(action.help),
        "schema": translated(action.Params.model_json_schema()), "exits": [exit_facts(spec) for spec in action.exits],
    }  # fmt: skip


def first_exits(block: Block[Any]) -> list[Exit]:
    """The exits of a block with nothing but defaults; some kinds have theirs only once they are filled in."""
    try:
        return block.exits(block.Params.model_construct(), NOWHERE)
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def exit_facts(spec: Exit) -> Json:
    """`leads`: "section" or "caller" for an exit that goes there by itself and is not drawn."""
    leads = "section" if spec.to is not None else "caller" if spec.returns is not None else ""
    return {
        "name": spec.name, "label": str(spec.label) or _plain(spec.name), "failure": spec.failure, "required": spec.required, "waits": spec.waits,
        "leads": leads, "section": spec.to.section if spec.to else "", "entry": spec.to.entry if spec.to else "",
    }  # fmt: skip


def _plain(name: str) -> str:
    return str(_("Next")) if name == "next" else name


def _world() -> Iterator[Json]:
    for name in described.world_names():
        yield {"name": name, "kind": "system", "help": str(WORLD_HELP.get(name, ""))}


def _known() -> Iterator[Json]:
    for key, label in ClientField.objects.order_by("position", "key").values_list("key", "label"):
        yield {"name": key, "kind": "person", "help": label}
    for key, text in Constant.objects.order_by("key").values_list("key", "description"):
        yield {"name": f"constants.{key}", "kind": "constant", "help": text}
    for key, text, secret in InstanceSetting.objects.order_by("key").values_list("key", "description", "is_secret"):
        help_text = f"{text} ({_('secret: in actions only')})".strip() if secret else text
        yield {"name": f"instance_settings.{key}", "kind": "setting", "help": help_text}


def _kinds(bot: Bot) -> list[str]:
    connected = bot.channels.filter(is_active=True).values_list("kind", flat=True).distinct()
    return sorted(kind for kind in connected if kind in adapters)


def _channel(kind: str) -> Json:
    limits: Capabilities = adapters[kind].capabilities
    return {
        "kind": kind, "label": str(adapters[kind].label), "inline_buttons": limits.inline_buttons, "reply_buttons": limits.reply_buttons,
        "buttons_per_row": limits.buttons_per_row, "label_chars": limits.label_chars, "text_chars": limits.text_chars,
        "media": sorted(limits.media),
    }  # fmt: skip


def translated(value: Any) -> Any:
    """A JSON Schema with its titles and descriptions in the language of the request."""
    if isinstance(value, dict):
        return {
            key: _(item) if key in {"title", "description"} and isinstance(item, str) and item else translated(item)
            for key, item in value.items()
        }
    return [translated(item) for item in value] if isinstance(value, list) else value
