"""The examples of docs/integration.md are scenarios that can be published and do what the page says."""

import json
import re
from typing import Any

import pytest

from apps.core.models import InstanceSetting
from apps.core.settings_store import forget
from apps.identity.models import Lead
from apps.scenarios import publishing
from apps.scenarios.actions.action_send_request import SendRequestParams
from tests.conversations.sending import sender, until
from tests.scenarios.making import make_scenario
from tests.scenarios.test_outside_calls import Crm, crm, ended, lead
from tests.scenarios.test_runtime import said, start
from tools.places import CLONE

__all__ = ["crm", "lead"]
pytestmark = pytest.mark.django_db(transaction=True)


def examples() -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", (CLONE / "docs/integration.md").read_text(), re.DOTALL)]


def test_the_hybrid_example_pulls_what_was_not_pushed(lead: Lead, crm: Crm) -> None:
    for key, value in (("crm_url", crm.url), ("crm_token", "t-1")):
        InstanceSetting.objects.create(key=key, value=value, is_secret=key == "crm_token")
    forget()
    crm.answers.append((200, {}, b'{"status": "on its way", "total": 3500, "items": [{"name": "Lamp"}]}'))
    [hybrid, _callback] = examples()
    assert publishing.check(hybrid, bot=lead.channel.bot) == []
    start(lead, make_scenario(lead.channel.bot, hybrid), order_id=9821)
    with sender():
        until(ended)
    assert said(lead) == ["Your order 9821 (Lamp) is on its way, 3500 in all."]
    assert (crm.asked[0]["path"], crm.asked[0]["headers"]["Authorization"]) == ("/orders/9821", "Bearer t-1")


def test_the_callback_example_has_parameters_that_the_action_takes() -> None:
    [_hybrid, callback] = examples()
    assert SendRequestParams.model_validate(callback["params"]).wait_for_callback
