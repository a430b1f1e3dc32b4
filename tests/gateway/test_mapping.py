"""The mapping table as JSON, with exactly the field names of the sources."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.gateway import tokens
from apps.identity.models import ExternalId, Lead
from tests.gateway.asserting import refused
from tests.gateway.making import Shop, make_shop
from tests.making import make_channel, make_lead

pytestmark = pytest.mark.django_db


def get(shop: Shop, rest: str = "", token: str | None = None) -> Any:
    return shop.client.get(f"/api/v1/bots/{shop.bot.pk}/mapping{rest}", headers={"Authorization": f"Bearer {token or shop.token}"})


def test_a_row_has_exactly_the_fields_of_the_sources(shop: Shop) -> None:
    Lead.objects.filter(pk=shop.lead.pk).update(chat_id="540278913", connected_at=datetime(2025, 10, 15, 11, 24, 52, tzinfo=UTC))
    answer = get(shop)
    row = {
        "userId": 125, "leadId": shop.lead.code, "chatId": 540278913, "isActive": True, "source": "telegram", "connected_at": "2025-10-15T11:24:52Z",
    }  # fmt: skip
    assert (answer.status_code, answer.json()) == (
        200, {"success": True, "trace_id": answer.headers["X-Trace-Id"], "results": [row], "next": None},
    )  # fmt: skip


def test_pages_go_through_everything_once(shop: Shop) -> None:
    leads = [shop.lead, *(make_lead(shop.channel) for _ in range(4))]
    seen, cursor, pages = list[str](), "", 0
    while True:
        page = get(shop, f"?limit=2{cursor}").json()
        seen += [row["leadId"] for row in page["results"]]
        pages += 1
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert (seen, pages) == ([lead.code for lead in leads], 3)


def test_the_number_of_queries_does_not_grow_with_the_rows(shop: Shop, django_assert_num_queries: Any) -> None:
    get(shop)  # notes that the token is used
    with django_assert_num_queries(5):  # token, its bots, the bot, leads, external ids
        get(shop)
    for number in range(3):
        ExternalId.objects.create(bot=shop.bot, person=make_lead(shop.channel).person, system="crm", value=f"u{number}")
    with django_assert_num_queries(5):
        assert len(get(shop).json()["results"]) == 4


def test_the_rows_of_one_user(shop: Shop) -> None:
    second = make_lead(make_channel(shop.bot))
    Lead.objects.filter(pk=second.pk).update(person=shop.lead.person)
    make_lead(shop.channel)
    rows = get(shop, "/125").json()["results"]
    assert [(row["userId"], row["leadId"]) for row in rows] == [(125, shop.lead.code), (125, second.code)]
    refused(get(shop, "/126"), 404, "not_found", "User not found")
    refused(get(shop, "/%00"), 404, "not_found", "User not found")


def test_user_ids_are_those_of_the_tokens_system(shop: Shop) -> None:
    ExternalId.objects.create(bot=shop.bot, person=shop.lead.person, system="erp", value="A-77")
    _row, erp = tokens.issue(name="ERP", source_system="erp", bots=[shop.bot])
    assert get(shop, token=erp).json()["results"][0]["userId"] == "A-77"
    assert get(shop, "/A-77", token=erp).status_code == 200
    refused(get(shop, "/A-77"), 404, "not_found", "User not found")


def test_another_bots_token_sees_nothing(shop: Shop) -> None:
    other = make_shop()
    refused(get(shop, token=other.token), 404, "not_found", "Not found")
    refused(get(shop, "/125", token=other.token), 404, "not_found", "Not found")
    assert [row["leadId"] for row in get(other).json()["results"]] == [other.lead.code]


def test_who_may_not(shop: Shop) -> None:
    refused(shop.client.get(f"/api/v1/bots/{shop.bot.pk}/mapping"), 401, "invalid_token", "Invalid token")
    _row, restricted = tokens.issue(name="orders only", bots=[shop.bot], aliases=["order/*"])
    refused(get(shop, token=restricted), 403, "not_allowed", "This token may not call this endpoint")
    _row, named = tokens.issue(name="reader", bots=[shop.bot], aliases=["mapping"])
    assert get(shop, token=named).status_code == 200
    answer = shop.client.post(f"/api/v1/bots/{shop.bot.pk}/mapping", headers={"Authorization": f"Bearer {shop.token}"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=501", "?limit=x", "?limit=-1", "?cursor=x", "?cursor=0", f"?cursor={10**19}", "?cursor=٣"]
)
def test_a_wrong_page(shop: Shop, query: str) -> None:
    name = query[1:].partition("=")[0]
    answer = get(shop, query)
    assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["field"]) == (400, "bad_request", name)
