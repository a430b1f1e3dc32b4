"""The chat preview: talk to the draft from any node, as a copy of any person or somebody invented; calls are mocked unless ticked."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import can
from apps.bots.registry import adapters
from apps.core import audit
from apps.core.strictjson import StrictJsonError, loads
from apps.scenarios import loose
from apps.scenarios.admin.outline import outline
from apps.scenarios.engine.flow import DefinitionError, compile_definition
from apps.scenarios.models import Scenario
from apps.scenarios.registry import actions_for, blocks
from apps.scenarios.simulation import asked, asking, keeping, live
from apps.scenarios.simulation.asking import Ask, State
from apps.scenarios.simulation.telling import told
from apps.scenarios.simulation.turning import play
from apps.scenarios.simulation.world import capabilities_of, channel_kinds, facts_of, with_secrets

MAX_BODY = 2 * 1024 * 1024


def preview_view(request: HttpRequest, scenario: Scenario, context: dict[str, Any]) -> HttpResponse:
    kinds = channel_kinds(scenario.bot) or ["widget"]
    page = {
        **context, "scenario": scenario, "outline": outline(scenario.draft), "entries": _entries(scenario),
        "versions": list(scenario.versions.order_by("-number").values_list("number", flat=True)[:50]),
        "channels": [(kind, str(adapters[kind].label)) for kind in kinds],
        "languages": loose.languages(scenario.draft), "may_copy": can(request.user, "view", "people", scenario.bot_id),
        "preview": {"turn": reverse("admin:scenarios_scenario_preview_turn", args=[scenario.pk]), "keep": reverse("admin:scenarios_scenario_preview_keep", args=[scenario.pk]), "texts": _texts()},
    }  # fmt: skip
    return TemplateResponse(request, "admin/scenarios/preview.html", page)


def turn_view(request: HttpRequest, scenario: Scenario) -> JsonResponse:
    """One turn as `/api/scenarios/simulate`, of this scenario only. `live` in the body lets calls without a mock go out."""
    try:
        ask, lively = _read(request, scenario)
        answer = _played(request, scenario, ask, lively=lively)
    except (StrictJsonError, asking.AskError) as error:
        return JsonResponse({"error": str(error)}, status=400)
    except asked.NotThereError as error:
        return JsonResponse({"error": _("There is no such %(what)s.") % {"what": error.what}}, status=404)
    except DefinitionError as error:
        return JsonResponse({"error": " ".join(problem.message for problem in error.problems[:5])}, status=400)
    except asked.NotAllowedError as error:
        raise PermissionDenied from error
    return JsonResponse(answer)


def keep_view(request: HttpRequest, scenario: Scenario) -> JsonResponse:
    """Keep the chat as a test; what it expects is what the draft does."""
    try:
        test = keeping.keep(scenario, keeping.read_chat(loads(request.body, max_bytes=MAX_BODY)), user=request.user)  # type: ignore[arg-type]
    except (StrictJsonError, asking.AskError) as error:
        return JsonResponse({"error": str(error)}, status=400)
    except asked.NotThereError as error:
        return JsonResponse({"error": _("There is no such %(what)s.") % {"what": error.what}}, status=404)
    except DefinitionError as error:
        return JsonResponse({"error": str(error)}, status=400)
    audit.record(request.user, "scenarios.test.kept", test)
    return JsonResponse({"id": test.pk, "url": test.get_absolute_url()})


def _read(request: HttpRequest, scenario: Scenario) -> tuple[Ask, bool]:
    body = loads(request.body, max_bytes=MAX_BODY)
    if not isinstance(body, dict) or "definition" in body:
        raise asking.AskError([("", _("The preview runs stored drafts and versions only."))])
    lively = body.pop("live", False) is True
    return asking.read_ask({**body, "scenario": scenario.pk}), lively


def _played(request: HttpRequest, scenario: Scenario, ask: Ask, *, lively: bool) -> dict[str, Any]:
    if not lively:
        return asked.simulate(ask, request.user)
    definition = asked.definition_for(ask, request.user)[1]
    person, lead = asked.copied(scenario.bot, ask.person, request.user)
    facts = with_secrets(facts_of(scenario.bot, ask.person, channel=ask.channel, person=person, lead=lead))
    flow = compile_definition(definition, blocks=blocks, actions=actions_for(scenario.bot_id))

    def note(action: str, url: str) -> None:
        audit.record(request.user, "scenarios.preview.call", scenario, called=action, host=urlsplit(url).netloc.rpartition("@")[2])

    perform = live.performer(facts, person=person, lead=lead, told=note)
    sandbox = asked.sandbox_of(flow, facts, ask, bot=scenario.bot, perform=perform)
    turn = play(sandbox, ask.state or State(), ask.input, now=ask.now)
    return told(turn, sandbox, channels=capabilities_of(ask.show_in))


def _entries(scenario: Scenario) -> list[str]:
    return [str(loose.params(node)["alias"]) for node in loose.nodes(scenario.draft) if "alias" in loose.params(node)]


def _texts() -> dict[str, str]:
    """What the script says."""
    return {
        "failed": _("The scenario failed: %s"), "ended": _("The scenario is over."), "ignored": _("This does not concern the open question; nothing changed."),
        "started_by": _("Begun by: %s"), "unheard": _("No trigger of this scenario takes it; nothing begins."), "waits": _("Waits"), "calls": _("Waits for an answer of a call."), "later": _("%s later"), "would_call": _("Would call"), "called": _("Called"),
        "acts": _("Action"), "exit": _("exit"), "assumed": _("assumed"), "mock": _("mocked"), "live": _("went out"), "held": _("waits"), "emits": _("Tells the event"),
        "responds": _("Answers the caller"), "wrong": _("Not valid JSON: %s"), "offline": _("The server cannot be reached. Try again."),
        "answer_so": _("Answer so"), "values": _("Values as JSON"), "started": _("The chat begins"), "kept": _("Kept as a test."), "timer": _("timer"),
    }  # fmt: skip
