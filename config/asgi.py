"""The live process: server-sent events; everything else that Django serves answers here too."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django = get_asgi_application()

from apps.panel.live import Live  # noqa: E402  its models can be imported only now

application = Live(django)
