"""Asks a question and understands the answer: kinds of answers, validation, attempts, reminders, timeout."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, model_validator

from apps.scenarios.block import NOWHERE, Block, Exit, Finding, Ignored, Outcome, Scope, Take, Wait
from apps.scenarios.engine.answers import HINTS, READERS
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.contract import Cancelled, Entered, Fired, Pressed, Resumed, Said
from apps.scenarios.engine.params import MORE, Duration, Expression, ParamsModel, Text
from apps.scenarios.engine.questions import Question, ask, labels_of, recognised
from apps.scenarios.engine.saying import channel_findings, file_findings

OWN_EXITS = frozenset({"ok", "no_match", "attempts", "timeout", "cancelled"})


class Reminder(ParamsModel):
    after: Duration = Field(title=gettext_noop("After"), description=gettext_noop("Counted from the question."))
    text: Text = Field(title=gettext_noop("Text"))


class InputParams(Question):
    validation: Expression | None = Field(
        None, title=gettext_noop("Condition on the answer"), description=gettext_noop("Such as: value > 0")
    )
    unrecognised_text: Text = Field(Text(""), title=gettext_noop("Text when the answer is not understood"))
    invalid_text: Text = Field(Text(""), title=gettext_noop("Text when the condition does not hold"))
    attempts: int = Field(3, ge=0, le=100, title=gettext_noop("Attempts"), description=gettext_noop("0: without end."))
    timeout: Duration | None = Field(None, title=gettext_noop("Stop waiting after"))
    reminders: tuple[Reminder, ...] = Field((), max_length=5, title=gettext_noop("Reminders"))
    interruptible: bool = Field(default=True, title=gettext_noop("Keywords may interrupt"), json_schema_extra=MORE)

    @model_validator(mode="after")
    def _fits_together(self) -> "InputParams":
        names = [choice.id for choice in self.choices]
        if len(set(names)) < len(names) or OWN_EXITS & set(names):
            raise ValueError(gettext_noop("Give each choice its own id (not ok, no_match, attempts, timeout or cancelled)"))
        if self.kind == "choice" and not names and not self.options:
            raise ValueError(gettext_noop("Give the choices, or a placeholder with a list of them"))
        if self.kind == "regex" and not self.pattern:
            raise ValueError(gettext_noop("Give the pattern that the answer must match"))
        moments = [reminder.after.delta for reminder in self.reminders]
        if moments != sorted(moments) or (self.timeout and moments and moments[-1] >= self.timeout.delta):
            raise ValueError(gettext_noop("Put the reminders in order of time and before the timeout"))
        return self


class Input(Block[InputParams]):
    kind = "input"
    label = _("Input wait")
    help = _("Asks a question, checks the answer and stores it.")
    icon = "question_answer"
    group = "talk"
    Params = InputParams

    def exits(self, params: InputParams, scope: Scope = NOWHERE) -> list[Exit]:
        choices = [Exit(choice.id, next(iter(dict(choice.label.texts()).values()), choice.id), waits=True) for choice in params.choices]
        own = () if params.options or params.kind != "choice" else tuple(choice.id for choice in params.choices)
        return [
            Exit("ok", _("Answered"), required=True, unless=own, waits=True),
            *choices,
            Exit("no_match", _("Not understood"), waits=True),
            *([Exit("attempts", _("No attempts left"), failure=True, waits=True)] if params.attempts else []),
            *([Exit("timeout", _("No answer in time"), required=True, waits=True)] if params.timeout else []),
            Exit("cancelled", _("Cancelled"), waits=True),
        ]

    def enter(self, ctx: Context, params: InputParams) -> Outcome:
        return self._ask(ctx, params, tries=0)

    def resume(self, ctx: Context, params: InputParams, entered: Entered) -> Outcome:
        match entered:
            case Said() | Pressed():
                return self._answer(ctx, params, entered)
            case Fired(reason="reminder"):
                return self._remind(ctx, params)
            case Fired():
                return Take("timeout")
            case Resumed():
                return self._ask(ctx, params, tries=ctx.data["tries"])
            case Cancelled():
                return Take("cancelled")
        return super().resume(ctx, params, entered)

    def sets(self, params: InputParams, scope: Scope = NOWHERE) -> list[str]:
        return [params.save_as]

    def check(self, params: InputParams, scope: Scope) -> Iterator[Finding]:
        labels = [(f"choices.{place}", choice.label) for place, choice in enumerate(params.choices)]
        for field, code, message in channel_findings("choices", labels, keyboard=params.keyboard, capabilities=scope.capabilities):
            yield Finding(field, code, message, level="warning")
        for field, code, message in file_findings(params, scope.files):
            yield Finding(field, code, message)

    def _ask(self, ctx: Context, params: InputParams, *, tries: int) -> Outcome:
        labels = labels_of(ctx, params)
        if params.kind == "choice" and not labels:
            return Take("no_match", error=str(_("there is nothing to choose from: the list of choices is empty.")))
        ask(ctx, params, labels)
        if params.timeout:
            ctx.wake("timeout", after=params.timeout.delta)
        if params.reminders:
            ctx.wake("reminder", after=params.reminders[0].after.delta)
        ctx.asked(kind=params.kind, choices=labels)
        data = {"labels": labels, "tries": tries, "reminded": 0, "asked_at": ctx.now.isoformat()}
        return Wait(data=data, interruptible=params.interruptible, collects=params.kind in READERS)

    def _remind(self, ctx: Context, params: InputParams) -> Outcome:
        done = ctx.data["reminded"] + 1
        ask(ctx, params, {}, text=params.reminders[done - 1].text)
        if done < len(params.reminders):
            ctx.wake("reminder", at=datetime.fromisoformat(ctx.data["asked_at"]) + params.reminders[done].after.delta)
        return self._stay(ctx, params, reminded=done)

    def _stay(self, ctx: Context, params: InputParams, **changed: Any) -> Wait:
        return Wait(data={**ctx.data, **changed}, interruptible=params.interruptible, collects=params.kind in READERS)

    def _answer(self, ctx: Context, params: InputParams, entered: Said | Pressed) -> Outcome:
        labels = ctx.data["labels"]
        if isinstance(entered, Pressed) and entered.button not in labels:
            return Ignored()
        name, value = recognised(ctx, params, entered, labels)
        if value is None:
            return self._again(ctx, params, params.unrecognised_text or HINTS[_hint(params, entered)])
        if params.validation and not ctx.test(params.validation, value=value, **{params.save_as: value}):
            return self._again(ctx, params, params.invalid_text or params.unrecognised_text or HINTS["regex"])
        ctx.set(params.save_as, value)
        return Take(name if name in ctx.node.exits else "ok")

    def _again(self, ctx: Context, params: InputParams, text: Text) -> Outcome:
        tries = ctx.data["tries"] + 1
        ctx.invalid(tries=tries)
        if "no_match" in ctx.node.exits:
            return Take("no_match")
        if params.attempts and tries >= params.attempts:
            return Take("attempts")
        ask(ctx, params, ctx.data["labels"], text=text)
        return self._stay(ctx, params, tries=tries)


def _hint(params: InputParams, entered: Said | Pressed) -> str:
    """Somebody else's card is no wrong phone number: then the person's own is asked for."""
    foreign = isinstance(entered, Said) and entered.contact and params.own_contact and not entered.contact.get("own")
    return "contact" if foreign and params.kind == "phone" and params.share_label else params.kind
