"""The web process: granian, whose processes are forked from one that has loaded everything.

What is loaded before a fork is in memory once for all of them, the first request finds everything in place, and a process that died is replaced at once instead of after
seconds of imports. `python -m config.web` takes granian's own options.
"""

import multiprocessing
import sys

from granian.cli import entrypoint

from apps.core import collecting, lastwords


def main() -> None:
    """Where processes are not forked (macOS), each loads the application by itself."""
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")
        load()
        lastwords.share()
        collecting.settle()
    entrypoint()  # type: ignore[no-untyped-call]


def load() -> None:
    """Everything that requests use. It opens no connection and starts no thread: neither outlives a fork."""
    from django.urls import reverse  # noqa: PLC0415

    import config.wsgi  # noqa: F401, PLC0415 - here Django is set up
    from apps.bots.registry import adapters  # noqa: PLC0415 - models can be imported only when Django is ready
    from apps.scenarios.registry import actions, blocks  # noqa: PLC0415

    reverse("admin:index")  # all addresses, and so all views
    for registry in (adapters, blocks, actions):
        len(registry)


if __name__ == "__main__":
    main()
