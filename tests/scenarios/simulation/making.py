"""Chats kept as tests, as the preview keeps them."""

from typing import Any

from apps.accounts.models import User
from apps.scenarios.models import SavedTest, Scenario
from apps.scenarios.simulation import keeping

CONFIRMS: list[dict[str, Any]] = [{"kind": "start", "params": {"amount": 3500}}, {"kind": "pressed", "button": "confirm"}]


def keep(
    scenario: Scenario, inputs: list[dict[str, Any]] | None = None, *, name: str = "Confirms", user: User | None = None, **world: Any
) -> SavedTest:
    owner = user or User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("keeper", password="x")
    given = {"now": "2026-05-20T12:00:00Z", "person": {"name": "Anna"}, **world}
    chat = keeping.read_chat({"name": name, "world": given, "inputs": CONFIRMS if inputs is None else inputs})
    return keeping.keep(scenario, chat, user=owner)


def changed(scenario: Scenario, node: str, **params: Any) -> None:
    """Change a node's parameters in the stored draft."""
    found = next(item for section in scenario.draft["sections"] for item in section["nodes"] if item["id"] == node)
    found["params"].update(params)
    scenario.draft_version += 1
    scenario.save()
