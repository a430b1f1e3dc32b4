"""The form of `Role.permissions` and the six roles that the product delivers (PL-1)."""

from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.modules import MODULES, VERBS


def clean_permissions(value: Any) -> dict[str, list[str]]:
    """Known modules and verbs only, in the product's order; whoever may edit or delete may view. Raises ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError(_("Rights are a list of verbs for each module."), code="permissions")
    unknown = sorted(set(value) - set(MODULES))
    if unknown:
        raise ValidationError(_("Unknown modules: %(names)s.") % {"names": ", ".join(map(str, unknown))}, code="permissions")
    return {module: _clean_verbs(value[module]) for module in MODULES if value.get(module)}


def _clean_verbs(verbs: Any) -> list[str]:
    if not isinstance(verbs, list) or not all(verb in VERBS for verb in verbs):
        raise ValidationError(_("A module's rights are a list out of: %(verbs)s.") % {"verbs": ", ".join(VERBS)}, code="permissions")
    return [verb for verb in VERBS if verb in verbs or verb == "view"]


class DeliveredRole(TypedDict):
    name: str
    description: str
    permissions: dict[str, list[str]]


VIEW = ["view"]
EDIT = ["view", "edit"]
ALL = ["view", "edit", "delete"]

DELIVERED: dict[str, DeliveredRole] = {
    "operator": {
        "name": "Operator",
        "description": "Answers customers in the panel and keeps the client card.",
        "permissions": {"people": EDIT, "desk": EDIT, "customdata": EDIT, "bots": VIEW, "channels": VIEW},
    },
    "supervisor": {
        "name": "Supervisor",
        "description": "Leads operators: sees every dialogue, queues, statistics and what needs attention.",
        "permissions": {
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
    },
    "admin": {
        "name": "Administrator",
        "description": "Everything: bots, channels, tokens, staff and roles.",
        "permissions": dict.fromkeys(MODULES, ALL),
    },
    "integrator": {
        "name": "Integrator",
        "description": "Builds bots: scenarios, channels, endpoints, custom data and settings.",
        "permissions": {
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
    },
    "communications_manager": {
        "name": "Communications manager",
        "description": "Owns texts, scenarios, broadcasts and communication maps.",
        "permissions": {
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
    },
    "analyst": {
        "name": "Analyst",
        "description": "Reads figures, maps and the event log, and exports them.",
        "permissions": {
            "bots": VIEW,
            "channels": VIEW,
            "scenarios": VIEW,
            "events": VIEW,
            "broadcasts": VIEW,
            "maps": VIEW,
            "analytics": VIEW,
        },
    },
}
