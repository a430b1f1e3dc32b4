"""People, their leads and ids, client fields and connect links in the admin."""

from apps.identity.admin.fields import ClientFieldAdmin
from apps.identity.admin.leads import LeadAdmin
from apps.identity.admin.links import ConnectLinkAdmin
from apps.identity.admin.merges import PersonMergeAdmin
from apps.identity.admin.people import PersonAdmin

__all__ = ["ClientFieldAdmin", "ConnectLinkAdmin", "LeadAdmin", "PersonAdmin", "PersonMergeAdmin"]
