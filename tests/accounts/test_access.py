from typing import get_args

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from apps.accounts.access import BotScope, bot_scope, can, can_model, can_object, scoped
from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.modules import MODULES, VERBS
from apps.accounts.rights import DELIVERED
from apps.bots.models import Bot
from apps.core import rights
from apps.core.models import AuditEntry, Constant
from apps.core.rights import Verb
from apps.identity.models import ExternalId, Person
from tests.accounts.conftest import MakeUser

VIEW, EDIT, ALL = "v", "ve", "ved"
# PL-1, written out: what each delivered role may do in each module (v = view, e = edit, d = delete).
EXPECTED = {
    "operator": {"people": EDIT, "desk": EDIT, "customdata": EDIT, "bots": VIEW, "channels": VIEW},
    "supervisor": {
        "people": ALL,
        "desk": ALL,
        "customdata": EDIT,
        "operations": EDIT,
        "events": VIEW,
        "analytics": VIEW,
        "broadcasts": VIEW,
        "bots": VIEW,
        "channels": VIEW,
        "scenarios": VIEW,
        "maps": VIEW,
    },
    "admin": dict.fromkeys(MODULES, ALL),
    "integrator": {
        "bots": EDIT,
        "channels": ALL,
        "people": EDIT,
        "scenarios": ALL,
        "action_jail": ALL,
        "integration": ALL,
        "events": VIEW,
        "operations": EDIT,
        "broadcasts": VIEW,
        "desk": EDIT,
        "customdata": ALL,
        "datamodels": ALL,
        "maps": EDIT,
        "analytics": VIEW,
        "settings": ALL,
    },
    "communications_manager": {
        "bots": VIEW,
        "channels": VIEW,
        "people": VIEW,
        "scenarios": EDIT,
        "action_jail": VIEW,
        "integration": VIEW,
        "events": VIEW,
        "broadcasts": ALL,
        "customdata": EDIT,
        "datamodels": EDIT,
        "maps": ALL,
        "analytics": VIEW,
        "settings": VIEW,
    },
    "analyst": {"bots": VIEW, "channels": VIEW, "scenarios": VIEW, "events": VIEW, "broadcasts": VIEW, "maps": VIEW, "analytics": VIEW},
}


def test_the_six_roles_are_there() -> None:
    assert set(DELIVERED) == set(EXPECTED)
    assert get_args(Verb) == VERBS


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("role", EXPECTED)
def test_each_role_in_each_module_with_each_verb(
    staff: MakeUser,
    shop: Bot,
    bank: Bot,
    role: str,
    module: str,
    verb: Verb,
) -> None:
    expected = verb[0] in EXPECTED[role].get(module, "")
    everywhere, limited = staff(role, name="anna"), staff(role, bots=[shop], name="boris")
    assert [can(everywhere, verb, module), can(everywhere, verb, module, shop.pk), can(everywhere, verb, module, bank.pk)] == [expected] * 3
    assert [can(limited, verb, module), can(limited, verb, module, shop.pk), can(limited, verb, module, bank.pk)] == [
        expected,
        expected,
        False,
    ]


@pytest.mark.django_db
def test_somebody_without_a_role_an_inactive_one_and_nobody_may_nothing(staff: MakeUser, shop: Bot) -> None:
    inactive = staff("admin")
    inactive.is_active = False
    for user in (staff(name="guest"), inactive, AnonymousUser()):
        assert not any(can(user, verb, module, bot) for verb in VERBS for module in MODULES for bot in (None, shop.pk))
        assert not scoped(Bot.objects.all(), user).exists()


def test_a_superuser_may_everything(shop: Bot) -> None:
    root = User.objects.create_superuser("root", None, "a long passphrase")
    assert all(can(root, verb, module, shop.pk) for verb in VERBS for module in MODULES)
    assert list(scoped(Bot.objects.all(), root, "delete")) == [shop]


def test_roles_add_up_each_for_its_bots(staff: MakeUser, shop: Bot, bank: Bot) -> None:
    user = staff("analyst")
    RoleAssignment.objects.create(user=user, role=Role.objects.get(key="integrator"), all_bots=False, bot_ids=[bank.pk])
    user = User.objects.get(pk=user.pk)
    assert bot_scope(user, "view", "scenarios") == BotScope(everywhere=True, ids=frozenset({bank.pk}))
    assert bot_scope(user, "edit", "scenarios") == BotScope(ids=frozenset({bank.pk}))
    assert not can(user, "edit", "scenarios", shop.pk)


def test_an_assignment_for_no_bot_gives_nothing(staff: MakeUser, shop: Bot) -> None:
    user = staff("admin", bots=[])
    assert not can(user, "view", "bots")
    assert not can(user, "view", "bots", shop.pk)


def test_rights_are_read_once(staff: MakeUser, shop: Bot, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = staff("operator")
    with django_assert_num_queries(1):
        for module in MODULES:
            can(user, "view", module, shop.pk)


@pytest.fixture
def people(shop: Bot, bank: Bot) -> dict[str, Person]:
    return {bot.name: Person.objects.create(bot=bot, name=bot.name) for bot in (shop, bank)}


def seen(queryset: QuerySet[Person]) -> list[str]:
    return sorted(queryset.values_list("name", flat=True))


@pytest.mark.usefixtures("people")
def test_rows_are_limited_to_the_bots_of_the_right(staff: MakeUser, shop: Bot) -> None:
    manager = staff("communications_manager", bots=[shop])
    assert seen(scoped(Person.objects.all(), manager)) == ["Shop"]
    assert seen(scoped(Person.objects.all(), manager, "edit")) == []
    assert seen(scoped(Person.objects.all(), staff("operator", name="boris"), "edit")) == ["Bank", "Shop"]
    assert list(scoped(Bot.objects.all(), manager)) == [shop]


def test_a_path_over_several_tables(staff: MakeUser, shop: Bot, bank: Bot, people: dict[str, Person]) -> None:
    for bot in (shop, bank):
        ExternalId.objects.create(bot=bot, person=people[bot.name], value=bot.name)
    manager = staff("communications_manager", bots=[shop])
    assert [row.value for row in scoped(ExternalId.objects.all(), manager)] == ["Shop"]


def test_a_path_that_meets_many_rows_doubles_none(
    staff: MakeUser,
    shop: Bot,
    people: dict[str, Person],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for system in ("crm", "erp"):
        ExternalId.objects.create(bot=shop, person=people["Shop"], system=system, value="1")
    monkeypatch.setattr(Person, "bot_lookup", "external_ids__bot_id")
    assert [person.name for person in scoped(Person.objects.all(), staff("operator", bots=[shop]))] == ["Shop"]


def test_rows_of_the_installation_are_seen_by_all_and_changed_by_those_for_all_bots(staff: MakeUser, shop: Bot) -> None:
    Constant.objects.create(key="city", value="Kyiv")
    limited, everywhere = staff("integrator", bots=[shop], name="anna"), staff("integrator", name="boris")
    assert [scoped(Constant.objects.all(), user, verb).count() for user in (limited, everywhere) for verb in VERBS] == [1, 0, 0, 1, 1, 1]
    assert [can_model(user, verb, Constant) for user in (limited, everywhere) for verb in VERBS] == [True, False, False, True, True, True]


def test_rows_without_a_bot_are_for_all_bots_only(staff: MakeUser, shop: Bot) -> None:
    from apps.events.models import Event  # noqa: PLC0415  only here

    Event.objects.create(trace_id="t", timestamp="2026-01-01T00:00Z", kind="x", bot_id=None)
    Event.objects.create(trace_id="t", timestamp="2026-01-01T00:00Z", kind="y", bot_id=shop.pk)
    assert [event.kind for event in scoped(Event.objects.all(), staff("analyst", bots=[shop], name="anna"))] == ["y"]
    assert scoped(Event.objects.all(), staff("analyst", name="boris")).count() == 2


def test_one_row_is_judged_as_it_is_stored(staff: MakeUser, shop: Bot, bank: Bot, people: dict[str, Person]) -> None:
    operator = staff("operator", bots=[shop])
    foreign = people["Bank"]
    foreign.bot = shop  # as a form would, before it is saved
    assert can_object(operator, "edit", people["Shop"])
    assert not can_object(operator, "edit", foreign)
    assert not can_object(operator, "delete", people["Shop"])
    assert bank.pk != shop.pk


def test_history_is_as_open_as_what_it_records(staff: MakeUser, shop: Bot, bank: Bot) -> None:
    history = Bot.history.model
    assert rights.module_of(history) == "bots"
    assert can_model(staff("analyst"), "view", history)
    assert not can_model(staff("analyst", name="boris"), "edit", history)
    assert bank.pk != shop.pk


def test_the_choice_of_related_rows_asks_for_the_right_of_the_row_that_is_made(staff: MakeUser, shop: Bot, bank: Bot) -> None:
    integrator = staff("integrator", bots=[shop])
    assert list(scoped(Bot.objects.all(), integrator, "edit", module="channels")) == [shop]
    assert list(scoped(Bot.objects.all(), integrator, "edit", module="accounts")) == []
    assert bank.pk != shop.pk


def test_below_accounts_the_same_answer_is_given(staff: MakeUser, shop: Bot, bank: Bot) -> None:
    assert list(rights.scoped(Bot.objects.all(), staff("analyst", bots=[shop]))) == [shop]
    assert bank.pk != shop.pk


def test_without_accounts_nothing_is_seen(monkeypatch: pytest.MonkeyPatch, shop: Bot) -> None:
    monkeypatch.setattr(rights, "_installed", [])
    assert list(rights.scoped(Bot.objects.all(), User(is_superuser=True))) == []
    assert shop.pk


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("apps.") and rights.module_of(model)]


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
@pytest.mark.django_db
def test_every_model_names_a_known_module_and_a_path_that_works(staff: MakeUser, shop: Bot, model: type[models.Model]) -> None:
    assert rights.module_of(model) in MODULES
    assert rights.bot_lookup(model) is None or scoped(model._default_manager.all(), staff("admin", bots=[shop])).count() >= 0


def test_the_audit_trail_belongs_to_the_accounts(staff: MakeUser) -> None:
    assert can_model(staff("admin"), "view", AuditEntry)
    assert not can_model(staff("integrator", name="boris"), "view", AuditEntry)
