"""Says something: text, media, a place, with or without buttons. With buttons to choose it waits for the choice."""

from collections.abc import Iterator
from typing import Literal

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, field_validator

from apps.scenarios.block import NOWHERE, Block, Exit, Finding, Ignored, Outcome, Scope, Take, Wait
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.contract import Cancelled, Entered, Fired, Json, Pressed, Resumed, Said
from apps.scenarios.engine.params import MORE, Duration, OptionalVariableName, Template, only_when
from apps.scenarios.engine.saying import Card, Choice, Place, Sayable, channel_findings, chosen, content_of, file_findings, location_of

OWN_EXITS = frozenset({"next", "other", "timeout", "cancelled"})


class Button(Choice):
    kind: Literal["callback", "url"] = Field("callback", title=gettext_noop("Kind"))
    url: Template = Field(
        Template(""),
        title=gettext_noop("Address"),
        description=gettext_noop("For a button that opens a page."),
        json_schema_extra=only_when(kind=("url",)),
    )


class MessageParams(Sayable):
    location: Place | None = Field(None, title=gettext_noop("Place on the map"), json_schema_extra=MORE)
    contact: Card | None = Field(None, title=gettext_noop("Contact card"))
    buttons: tuple[tuple[Button, ...], ...] = Field(
        (), max_length=50, title=gettext_noop("Buttons"), description=gettext_noop("Rows of buttons.")
    )
    keyboard: Literal["inline", "reply"] = Field("inline", title=gettext_noop("Keyboard"), json_schema_extra=MORE)
    save_as: OptionalVariableName = Field("", title=gettext_noop("Store the choice in"), json_schema_extra=MORE)
    timeout: Duration | None = Field(None, title=gettext_noop("Stop waiting after"), json_schema_extra=MORE)

    @field_validator("buttons")
    @classmethod
    def _ids_differ(cls, rows: tuple[tuple[Button, ...], ...]) -> tuple[tuple[Button, ...], ...]:
        names = [button.id for row in rows for button in row]
        if len(set(names)) < len(names) or OWN_EXITS & set(names):
            raise ValueError(gettext_noop("Give each button its own id (not next, other, timeout or cancelled)"))
        return rows

    @property
    def choices(self) -> dict[str, Button]:
        return {button.id: button for row in self.buttons for button in row if button.kind == "callback"}


class Message(Block[MessageParams]):
    kind = "message"
    label = _("Message with buttons")
    help = _("Sends text, media or a place; with buttons it goes on by the one that is chosen.")
    icon = "chat"
    group = "talk"
    Params = MessageParams

    def exits(self, params: MessageParams, scope: Scope = NOWHERE) -> list[Exit]:
        if not params.choices:
            return [Exit("next", _("Next"))]
        buttons = [
            Exit(name, next(iter(dict(button.label.texts()).values()), name), required=True, waits=True)
            for name, button in params.choices.items()
        ]
        timeout = [Exit("timeout", _("No answer in time"), required=True, waits=True)] if params.timeout else []
        return [*buttons, Exit("other", _("Any other answer"), waits=True), *timeout, Exit("cancelled", _("Cancelled"), waits=True)]

    def enter(self, ctx: Context, params: MessageParams) -> Outcome:
        labels = self._say(ctx, params)
        if not labels:
            return Take("next")
        if params.timeout:
            ctx.wake("timeout", after=params.timeout.delta)
        ctx.asked(choices=labels)
        return Wait(data={"labels": labels})

    def resume(self, ctx: Context, params: MessageParams, entered: Entered) -> Outcome:
        match entered:
            case Pressed():
                return self._choose(ctx, params, entered.button)
            case Said():
                name = chosen(entered.text, ctx.data["labels"]) if entered.kind == "text" else None
                return self._choose(ctx, params, name) if name else Take("other") if "other" in ctx.node.exits else Ignored()
            case Fired():
                return Take("timeout")
            case Resumed():
                return self.enter(ctx, params)
            case Cancelled():
                return Take("cancelled")
        return super().resume(ctx, params, entered)

    def sets(self, params: MessageParams, scope: Scope = NOWHERE) -> list[str]:
        return [params.save_as] if params.save_as else []

    def check(self, params: MessageParams, scope: Scope) -> Iterator[Finding]:
        labels = [
            (f"buttons.{row}.{place}", button.label) for row, buttons in enumerate(params.buttons) for place, button in enumerate(buttons)
        ]
        for field, code, message in channel_findings("buttons", labels, keyboard=params.keyboard, capabilities=scope.capabilities):
            yield Finding(field, code, message, level="warning")
        for field, code, message in file_findings(params, scope.files):
            yield Finding(field, code, message)
        if params.timeout and not params.choices:
            yield Finding(
                "timeout", "no_buttons", translated("Without buttons it does not wait. Add buttons or remove the timeout."), level="warning"
            )

    def _choose(self, ctx: Context, params: MessageParams, name: str) -> Outcome:
        if name not in ctx.data["labels"] or name not in params.choices:
            return Ignored()
        if params.save_as:
            ctx.set(params.save_as, ctx.template(params.choices[name].value) or ctx.data["labels"][name])
        return Take(name)

    def _say(self, ctx: Context, params: MessageParams) -> dict[str, str]:
        """Sends it; the labels of its choices as they were shown."""
        rows = [[_shown(ctx, button) for button in row] for row in params.buttons if row]
        if params.location:
            ctx.say({"location": location_of(ctx, params.location)})
        if params.contact and (phone := ctx.template(params.contact.phone)):
            ctx.say({"contact": {"phone": phone, "name": ctx.text(params.contact.name)}})
        content = content_of(ctx, params, buttons=rows, keyboard=params.keyboard)
        if content:
            ctx.say(content)
        return {button["id"]: button["label"] for row in rows for button in row if button["kind"] == "callback"}


def _shown(ctx: Context, button: Button) -> Json:
    address = {"url": ctx.template(button.url, target="url")} if button.kind == "url" else {}
    return {"id": button.id, "kind": button.kind, "label": ctx.text(button.label), **address}
