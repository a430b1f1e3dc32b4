"""Addresses that programs call, and the descriptions of them for people."""

from django.urls import path, re_path

from apps.gateway import machine_urls
from apps.gateway.authoring import AnalyticsView, DifferencesView, SimulateView, VisitsView
from apps.gateway.callbacks import CallbackView
from apps.gateway.docs import BotDocsView, BotOpenApiView, PlatformDocsView, PlatformSchemaView
from apps.gateway.machine import UnknownPathView
from apps.gateway.publications import PublicationView, RollbackView, TestsView, VersionsView
from apps.gateway.records.describing import ModelDocsView, ModelOpenApiView
from apps.gateway.records.views import BulkView, ModelsView, RecordsView, RecordView, SearchView, UpsertView
from apps.gateway.views import ExternalMessageView, ExternalStatusView, MappingView, UserMappingView

app_name = "gateway"
urlpatterns = [
    *machine_urls.urlpatterns,
    path("callbacks/<str:token>", CallbackView.as_view(), name="callback"),
    path("api/1.1/wf/send_message_external", ExternalMessageView.as_view(), name="external-message"),
    path("api/v1/channels/<str:task_id>/statuses", ExternalStatusView.as_view(), name="external-status"),
    path("api/v1/bots/<str:bot_id>/mapping", MappingView.as_view(), name="mapping"),
    path("api/v1/bots/<str:bot_id>/mapping/<path:user_id>", UserMappingView.as_view(), name="mapping-of-user"),
    path("api/scenarios/<int:pk>/versions", VersionsView.as_view(), name="versions"),
    path("api/scenarios/<int:pk>/publication", PublicationView.as_view(), name="publication"),
    path("api/scenarios/<int:pk>/rollback", RollbackView.as_view(), name="rollback"),
    path("api/scenarios/<int:pk>/tests", TestsView.as_view(), name="tests"),
    path("api/scenarios/<int:pk>/analytics", AnalyticsView.as_view(), name="analytics"),
    path("api/scenarios/<int:pk>/visits", VisitsView.as_view(), name="visits"),
    path("api/scenarios/<int:pk>/differences", DifferencesView.as_view(), name="differences"),
    path("api/scenarios/simulate", SimulateView.as_view(), name="simulate"),
    path("api/v1/data", ModelsView.as_view(), name="models"),
    path("api/v1/data/<str:alias>/records", RecordsView.as_view(), name="records"),
    path("api/v1/data/<str:alias>/records/<str:pk>", RecordView.as_view(), name="record"),
    path("api/v1/data/<str:alias>/upsert", UpsertView.as_view(), name="records-upsert"),
    path("api/v1/data/<str:alias>/bulk", BulkView.as_view(), name="records-bulk"),
    path("api/v1/data/<str:alias>/search", SearchView.as_view(), name="records-search"),
    path("docs/data/<str:alias>", ModelDocsView.as_view(), name="model-docs"),
    path("docs/data/<str:alias>/openapi.json", ModelOpenApiView.as_view(), name="model-openapi"),
    path("docs/<str:bot_id>", BotDocsView.as_view(), name="bot-docs"),
    path("docs/<str:bot_id>/", BotDocsView.as_view()),
    path("docs/<str:bot_id>/openapi.json", BotOpenApiView.as_view(), name="bot-openapi"),
    path("api/docs/", PlatformDocsView.as_view(), name="docs"),
    path("api/schema/", PlatformSchemaView.as_view(), name="schema"),
    re_path(
        r"^(?:bots|webhooks|callbacks|api/1\.1|api/v1/bots|api/v1/channels|api/v1/data|api/scenarios)(?:/[\s\S]*)?$",
        UnknownPathView.as_view(),
    ),
]
