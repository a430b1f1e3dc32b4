"""Loads what is known about a person into the session's variables."""

from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.bots.models import Bot
from apps.identity import attributes
from apps.identity.mapping import id_text
from apps.identity.models import ExternalId, Person
from apps.scenarios.acting import person_of
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.params import VariableName


class GetParams(ActionParams):
    by: Literal["current", "user_id", "lead_id", "phone", "email", "attribute"] = Field("current", title=gettext_noop("Whom"))
    value: Any = Field(
        None, title=gettext_noop("Value"), description=gettext_noop("The user id, lead id, phone, e-mail or value to look for.")
    )
    attribute: str = Field(
        "", max_length=60, title=gettext_noop("Attribute"), description=gettext_noop("Its key, for a search by attribute.")
    )
    system: str = Field(
        "", max_length=50, title=gettext_noop("System"), description=gettext_noop("Whose user ids; empty = the bot's main system.")
    )
    fields: list[str] = Field(
        default_factory=list, title=gettext_noop("Only these"), description=gettext_noop("Keys to load; empty = all.")
    )
    save_as: VariableName = Field(
        "registered_user",
        title=gettext_noop("Store in"),
        description=gettext_noop("An object with the values, such as {{ registered_user.user_name }}."),
    )


class Get(Action[GetParams]):
    kind = "registered_users__get"
    label = _("Registered users: get")
    help = _(
        "Looks a person up and stores what is known. Of the person in this chat, {{ user_name }} and each field are live placeholders after it. "
        "Found means: registered in the system. Phone, e-mail and personal fields of anybody else are never loaded."
    )
    exits = (Exit("found", _("Found"), required=True), Exit("not_found", _("Not found"), required=True))
    Params = GetParams

    def run(self, context: ActionContext, params: GetParams) -> ActionResult:
        bot = Bot.objects.get(pk=context.bot_id)
        person = _find(bot, context, params)
        if person is None:
            return ActionResult("not_found", values={params.save_as: None})
        known = attributes.facts(person, private=context.person_id in (person.pk, None))
        registered = params.by != "current" or (params.system or bot.source_system) in known["user_ids"]
        values = {key: value for key, value in known.items() if value is not None and (not params.fields or key in params.fields)}
        return ActionResult("found" if registered else "not_found", values={params.save_as: values})

    def sets(self, params: Json) -> list[str]:
        # Names of the present person's attributes are placeholders by themselves, but only the run can tell which there are.
        mine = ["*"] if params.get("by", "current") == "current" else []
        return [str(params.get("save_as") or "registered_user"), *mine]


def _find(bot: Bot, context: ActionContext, params: GetParams) -> Person | None:
    people = Person.objects.filter(bot=bot)
    match params.by:
        case "current":
            return person_of(context)
        case "user_id":
            held = ExternalId.objects.filter(bot=bot, system=params.system or bot.source_system, value=id_text(params.value))
            return people.filter(pk__in=held.values("person_id")).first()
        case "lead_id":
            return people.filter(leads__code=id_text(params.value).upper()).first()
        case _:
            if params.value in (None, "") or (params.by == "attribute" and not params.attribute):
                return None
            key = params.attribute if params.by == "attribute" else params.by
            return attributes.find(bot, key=key, value=params.value).order_by("-phone_verified", "-email_verified", "-pk").first()
