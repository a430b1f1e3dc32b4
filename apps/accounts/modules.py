"""The modules of the product, to which a role gives verbs. A model names its module in `access_module`."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.rights import Verb

VERBS: tuple[Verb, ...] = ("view", "edit", "delete")

MODULES: dict[str, str | Promise] = {
    "bots": _("Bots"),
    "channels": _("Channels"),
    "people": _("People"),
    "scenarios": _("Scenarios"),
    "action_jail": _("Action Jail"),
    "integration": _("Integration"),
    "events": _("Event log"),
    "operations": _("Operations"),
    "broadcasts": _("Broadcasts"),
    "desk": _("Operator desk"),
    "customdata": _("Custom data"),
    "datamodels": _("Models of custom data"),
    "maps": _("Communication maps"),
    "analytics": _("Analytics"),
    "settings": _("Settings"),
    "accounts": _("Staff and access"),
}
