"""Integration in the admin: endpoints and access tokens."""

from apps.gateway.admin.endpoints import EndpointAdmin
from apps.gateway.admin.tokens import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "EndpointAdmin"]
