"""Scenarios, their versions and their sessions in the admin."""

from apps.scenarios.admin.commands import CommandAdmin
from apps.scenarios.admin.custom_action_versions import CustomActionVersionAdmin
from apps.scenarios.admin.custom_actions import CustomActionAdmin
from apps.scenarios.admin.scenarios import ScenarioAdmin
from apps.scenarios.admin.sessions import SessionAdmin
from apps.scenarios.admin.tests import SavedTestAdmin
from apps.scenarios.admin.versions import ScenarioVersionAdmin

__all__ = [
    "CommandAdmin",
    "CustomActionAdmin",
    "CustomActionVersionAdmin",
    "SavedTestAdmin",
    "ScenarioAdmin",
    "ScenarioVersionAdmin",
    "SessionAdmin",
]
