"""The live process: server-sent events; everything else that Django serves answers here too."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django: Any = get_asgi_application()  # its stubs name other types for the same ASGI messages than `Live` does

from apps.panel.live import Live  # noqa: E402 - its models can be imported only now

application = Live(django)
