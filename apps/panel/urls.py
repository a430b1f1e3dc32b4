"""Addresses of the web chat and, in a demo, of its page."""

from django.urls import path

from apps.panel import demo_page, uploading, widget_api, widget_pages

app_name = "panel"
urlpatterns = [
    path("widget/v1/widget.js", widget_pages.loader, name="widget-loader"),
    path("widget/v1/config", widget_pages.config, name="widget-config"),
    path("widget/v1/sessions", widget_api.sessions, name="widget-sessions"),
    path("widget/v1/messages", widget_api.messages, name="widget-messages"),
    path("widget/v1/events", widget_api.events, name="widget-events"),
    path("widget/v1/receipts", widget_api.receipts, name="widget-receipts"),
    path("widget/v1/typing", widget_api.typing, name="widget-typing"),
    path("widget/v1/uploads", widget_api.uploads, name="widget-uploads"),
    path("widget/v1/sign-out", widget_api.sign_out, name="widget-sign-out"),
    path("widget/v1/files/<str:signed>", uploading.serve, name="widget-file"),
    path("widget/<str:key>", widget_pages.chat, name="widget-chat"),
    path("demo/", demo_page.demo, name="demo"),
]
