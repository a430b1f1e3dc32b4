import pytest
from django.apps import apps
from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.identity.models import Person
from tests.accounts.conftest import MakeUser


@pytest.mark.parametrize(
    ("role", "permission", "expected"),
    [
        ("operator", "identity.view_person", True),
        ("operator", "identity.add_person", True),
        ("operator", "identity.change_person", True),
        ("operator", "identity.delete_person", False),
        ("supervisor", "identity.delete_person", True),
        ("analyst", "identity.view_person", False),
        ("analyst", "bots.view_bot", True),
        ("integrator", "core.change_constant", True),
        ("integrator", "accounts.view_user", False),
        ("admin", "accounts.delete_role", True),
        ("admin", "auth.view_group", False),
        ("admin", "sessions.view_session", False),
        ("admin", "axes.delete_accessattempt", True),
        ("admin", "bots.export_bot", False),
        ("admin", "bots.view_nothing", False),
        ("admin", "nonsense", False),
        ("admin", "", False),
    ],
)
def test_djangos_permissions_follow_the_roles(staff: MakeUser, role: str, permission: str, expected: bool) -> None:  # noqa: FBT001  a parameter
    assert staff(role).has_perm(permission) is expected


def test_a_row_is_judged_by_its_bot(staff: MakeUser, shop: Bot, bank: Bot) -> None:
    own, foreign = (Person.objects.create(bot=bot) for bot in (shop, bank))
    operator = staff("operator", bots=[shop])
    assert operator.has_perm("identity.change_person")
    assert operator.has_perm("identity.change_person", own)
    assert not operator.has_perm("identity.change_person", foreign)
    assert operator.has_perm("identity.add_person", Person(bot=bank))


def test_who_keeps_one_bot_makes_no_new_ones(staff: MakeUser, shop: Bot) -> None:
    assert staff("integrator").has_perm("bots.add_bot")
    assert not staff("integrator", bots=[shop], name="boris").has_perm("bots.add_bot")


def test_djangos_own_permissions_and_groups_are_not_asked(staff: MakeUser) -> None:
    user = staff()
    user.user_permissions.add(*Permission.objects.all())
    user = User.objects.get(pk=user.pk)
    assert not user.has_perm("identity.view_person")
    assert user.get_all_permissions() == set()


def test_a_module_is_shown_when_something_in_it_is(staff: MakeUser) -> None:
    operator = staff("operator")
    assert [label for label in ("identity", "bots", "events", "accounts", "auth") if operator.has_module_perms(label)] == [
        "identity",
        "bots",
    ]


def test_all_permissions_are_those_of_the_roles(staff: MakeUser) -> None:
    permissions = staff("analyst").get_all_permissions()
    assert {"bots.view_bot", "events.view_event"} <= permissions
    assert {name.partition(".")[2].partition("_")[0] for name in permissions} == {"view"}
    assert apps.is_installed("django.contrib.auth")


def test_an_inactive_user_has_no_permission(staff: MakeUser) -> None:
    user = staff("admin")
    user.is_active = False
    assert not user.has_perm("bots.view_bot")
    assert user.get_all_permissions() == set()
