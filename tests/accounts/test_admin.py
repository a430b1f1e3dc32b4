from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.modules import MODULES, VERBS
from apps.bots.models import Bot
from tests.accounts.conftest import MakeUser

pytestmark = pytest.mark.django_db
NO_ROLES = {"role_assignments-TOTAL_FORMS": "0", "role_assignments-INITIAL_FORMS": "0"}


@pytest.fixture
def admin(client: Client, staff: MakeUser) -> User:
    user = staff("admin")
    client.force_login(user)
    return user


def user_form(user: User, **changes: Any) -> dict[str, Any]:
    return {
        "username": user.username,
        "display_name": "",
        "is_active": "on",
        "is_staff": "on",
        "language": "",
        "timezone": "",
        **NO_ROLES,
        **changes,
    }


def given(number: int, role: str, **fields: Any) -> dict[str, Any]:
    prefix = f"role_assignments-{number}-"
    return {f"{prefix}role": Role.objects.get(key=role).pk, **{f"{prefix}{name}": value for name, value in fields.items()}}


def change(client: Client, user: User, **fields: Any) -> Any:
    return client.post(reverse("admin:accounts_user_change", args=[user.pk]), user_form(user, **fields))


@pytest.mark.parametrize("page", ["user_changelist", "user_add", "role_changelist", "role_add"])
@pytest.mark.usefixtures("admin")
def test_the_pages_of_staff_are_shown(client: Client, page: str) -> None:
    assert client.get(reverse(f"admin:accounts_{page}")).status_code == 200


@pytest.mark.usefixtures("admin")
def test_the_list_of_people_costs_the_same_for_three_as_for_one(client: Client, staff: MakeUser) -> None:
    """The signed-in user and their rights, the roles of the filter, count, page, roles of the page."""
    address = reverse("admin:accounts_user_changelist")

    def own_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return sum('FROM "accounts_' in query["sql"] for query in captured.captured_queries)

    client.get(address)
    assert own_queries() == 6
    staff("analyst", "operator", name="boris")
    staff("analyst", name="vera")
    assert own_queries() == 6
    assert "Analyst, Operator" in client.get(address).content.decode()


def test_a_person_gets_roles_for_chosen_bots(client: Client, staff: MakeUser, admin: User, shop: Bot, bank: Bot) -> None:
    boris = staff(name="boris")
    page = client.get(reverse("admin:accounts_user_change", args=[boris.pk])).content.decode()
    assert all(f'<option value="{bot.pk}">{bot.name}</option>' in page for bot in (shop, bank))
    fields = NO_ROLES | {"role_assignments-TOTAL_FORMS": "1"} | given(0, "integrator", bot_ids=[shop.pk])
    assert change(client, boris, **fields).status_code == 302
    assignment = RoleAssignment.objects.get(user=boris)
    assert (assignment.role.key, assignment.all_bots, assignment.bot_ids) == ("integrator", False, [shop.pk])
    assert assignment.history.get().history_user == admin


@pytest.mark.usefixtures("admin")
def test_all_bots_need_no_list_and_a_list_must_not_be_empty(client: Client, staff: MakeUser, shop: Bot) -> None:
    boris = staff(name="boris")
    fields = NO_ROLES | {"role_assignments-TOTAL_FORMS": "1"}
    response = change(client, boris, **fields, **given(0, "analyst"))
    assert "Choose at least one bot, or tick “all bots”." in response.content.decode()
    response = change(client, boris, **fields, **given(0, "analyst", bot_ids=["999999"]))
    assert "999999 is not one of the available choices" in response.content.decode()
    assert change(client, boris, **fields, **given(0, "analyst", all_bots="on", bot_ids=[shop.pk])).status_code == 302
    assert RoleAssignment.objects.filter(user=boris).values_list("all_bots", "bot_ids").get() == (True, [])


def test_a_new_person_may_sign_in_to_the_admin(client: Client, admin: User) -> None:
    response = client.post(
        reverse("admin:accounts_user_add"),
        {"username": "boris", "usable_password": "true", "password1": "quite long words", "password2": "quite long words"},
    )
    boris = User.objects.get(username="boris")
    assert (response.status_code, boris.is_staff, boris.is_superuser, boris.email) == (302, True, False, None)
    assert boris.history.get().history_user == admin


@pytest.fixture
def keeper(client: Client) -> User:
    """Keeps the accounts and may nothing else."""
    role = Role.objects.create(key="keeper", name="Keeper", permissions={"accounts": ["view", "edit", "delete"], "bots": ["view"]})
    user = User.objects.create_user("keeper", is_staff=True)
    RoleAssignment.objects.create(user=user, role=role)
    client.force_login(user)
    return user


def test_nobody_gives_more_than_they_have(client: Client, staff: MakeUser, keeper: User) -> None:
    boris = staff(name="boris")
    fields = NO_ROLES | {"role_assignments-TOTAL_FORMS": "1"}
    response = change(client, boris, **fields, **given(0, "admin", all_bots="on"))
    assert "This role has rights that you do not have for these bots" in response.content.decode()
    assert change(client, boris, **fields, **given(0, "keeper", all_bots="on")).status_code == 302
    assert list(RoleAssignment.objects.filter(user=boris).values_list("role__key", flat=True)) == ["keeper"]
    assert keeper.pk != boris.pk


@pytest.mark.usefixtures("keeper")
def test_an_account_with_more_rights_cannot_be_taken_over(client: Client, staff: MakeUser) -> None:
    stronger = staff("integrator", name="boris")
    root = User.objects.create_superuser("root", None, "x")
    for other in (stronger, root):
        assert client.get(reverse("admin:accounts_user_change", args=[other.pk])).status_code == 200
        assert change(client, other, display_name="Hacked").status_code == 403
        assert (
            client.post(
                reverse("admin:auth_user_password_change", args=[other.pk]), {"password1": "x" * 12, "password2": "x" * 12}
            ).status_code
            == 403
        )
        assert client.post(reverse("admin:accounts_user_delete", args=[other.pk]), {"post": "yes"}).status_code == 403
    assert not User.objects.filter(display_name="Hacked").exists()


@pytest.mark.usefixtures("admin")
def test_only_a_superuser_makes_superusers(client: Client, staff: MakeUser) -> None:
    boris = staff(name="boris")
    assert change(client, boris, is_superuser="on").status_code == 302
    boris.refresh_from_db()
    assert not boris.is_superuser
    client.force_login(User.objects.create_superuser("root", None, "x"))
    change(client, boris, is_superuser="on")
    boris.refresh_from_db()
    assert boris.is_superuser


def test_nobody_locks_themselves_out(client: Client, admin: User) -> None:
    form = user_form(admin, display_name="Me")
    del form["is_active"], form["is_staff"]
    fields = {"role_assignments-TOTAL_FORMS": "1", "role_assignments-INITIAL_FORMS": "1"}
    row = RoleAssignment.objects.get(user=admin)
    fields |= given(0, "admin", all_bots="on", id=row.pk, user=admin.pk)
    assert client.post(reverse("admin:accounts_user_change", args=[admin.pk]), form | fields).status_code == 302
    admin.refresh_from_db()
    assert (admin.display_name, admin.is_active, admin.is_staff) == ("Me", True, True)
    assert client.post(reverse("admin:accounts_user_delete", args=[admin.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.usefixtures("admin")
def test_a_roles_rights_are_a_matrix_of_check_boxes(client: Client) -> None:
    role = Role.objects.get(key="analyst")
    page = client.get(reverse("admin:accounts_role_change", args=[role.pk])).content.decode()
    for module in MODULES:
        for verb in VERBS:
            box = page.partition(f'value="{module}:{verb}"')[2].partition(">")[0]
            assert ("checked" in box.split()) is (verb in role.permissions.get(module, [])), (module, verb)
    form = {"name": "Analyst", "description": "", "permissions": ["events:view", "maps:delete"]}
    assert client.post(reverse("admin:accounts_role_change", args=[role.pk]), form).status_code == 302
    role.refresh_from_db()
    assert role.permissions == {"events": ["view"], "maps": ["view", "delete"]}
    assert role.key == "analyst"


@pytest.mark.usefixtures("keeper")
def test_a_role_gets_no_rights_that_its_editor_lacks(client: Client) -> None:
    role = Role.objects.get(key="analyst")
    address = reverse("admin:accounts_role_change", args=[role.pk])
    response = client.post(address, {"name": "Analyst", "permissions": ["events:view", "settings:edit"]})
    assert "You can only add rights that you have yourself, for all bots." in response.content.decode()
    assert client.post(address, {"name": "Analyst", "permissions": ["events:view", "bots:view"]}).status_code == 302


@pytest.mark.usefixtures("admin")
def test_unknown_rights_in_the_form_are_refused(client: Client) -> None:
    response = client.post(reverse("admin:accounts_role_add"), {"key": "x", "name": "X", "permissions": ["nothing:view"]})
    assert "Unknown modules: nothing." in response.content.decode()


@pytest.mark.usefixtures("admin")
def test_delivered_roles_stay_and_others_can_be_deleted(client: Client) -> None:
    own = Role.objects.create(key="own", name="Own")
    delivered = Role.objects.get(key="analyst")
    assert client.post(reverse("admin:accounts_role_delete", args=[delivered.pk]), {"post": "yes"}).status_code == 403
    assert client.post(reverse("admin:accounts_role_delete", args=[own.pk]), {"post": "yes"}).status_code == 302
    assert not Role.objects.filter(key="own").exists()


def test_an_administrator_unlocks_a_sign_in(client: Client, admin: User) -> None:
    attempt = AccessAttempt.objects.create(
        username="boris", ip_address="10.1.1.1", failures_since_start=5, get_data="", post_data="", path_info="/", http_accept=""
    )
    assert client.get(reverse("admin:axes_accessattempt_changelist")).status_code == 200
    assert client.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"}).status_code == 302
    assert not AccessAttempt.objects.exists()
    assert admin.pk


@pytest.mark.parametrize("role", ["operator", "supervisor", "integrator", "communications_manager", "analyst"])
@pytest.mark.parametrize(
    "page", ["accounts_user_changelist", "accounts_role_changelist", "core_auditentry_changelist", "axes_accessattempt_changelist"]
)
def test_only_administrators_see_the_pages_of_staff(client: Client, staff: MakeUser, role: str, page: str) -> None:
    client.force_login(staff(role))
    assert client.get(reverse(f"admin:{page}")).status_code == 403
