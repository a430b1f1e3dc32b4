"""Addresses: pages of people (admin, panel), machine-facing HTTP (gateway), health."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.customdata.admin.addresses import with_records

admin.autodiscover()  # already done where pages are served

handler400 = "apps.gateway.faults.bad_request"
handler404 = "apps.gateway.faults.not_found"
handler500 = "apps.gateway.faults.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="panel:demo" if settings.DEMO else "admin:index")),
    path("admin/", with_records(admin.site.urls)),
    path("", include("apps.core.urls")),
    path("api/scenarios/", include("apps.scenarios.builder.urls")),
    path("", include("apps.gateway.urls")),
    path("", include("apps.panel.urls")),
]
