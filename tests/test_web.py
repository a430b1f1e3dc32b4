"""The processes of web are forked from one that has loaded everything."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil

from tools import programs
from tools.demo import ask
from tools.ports import free_port
from tools.processes import Process, wait_until

LOADED = """
import sys, threading
sys.argv = ["/somewhere/config/web.py"]
from config.web import load
load()
from django.contrib import admin
from django.db import connections
from django.urls import get_resolver
open_ones = [one for one in connections.all(initialized_only=True) if one.connection is not None]
print(threading.active_count(), len(open_ones), len(admin.site._registry) > 20, "apps.gateway.views" in sys.modules, "aiohttp" in sys.modules)
"""


def test_all_is_loaded_before_the_fork_but_what_does_not_outlive_it() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["1", "0", "True", "True", "True"]


def test_a_process_that_died_is_replaced_by_another_fork(tmp_path: Path) -> None:
    port = free_port()
    program = programs.web(os.environ, port=port)
    web = Process(replace(program, argv=[*program.argv, "--workers", "1", "--respawn-failed-workers"]), tmp_path / "web.log")
    web.start()
    try:
        assert wait_until(lambda: ask(f"http://127.0.0.1:{port}/health/live")[0] == 200, seconds=30)
        first = psutil.Process(web.pid).children()
        assert len(first) == 1
        first[0].kill()
        assert wait_until(lambda: first[0] not in psutil.Process(web.pid).children(), seconds=10)
        assert wait_until(lambda: ask(f"http://127.0.0.1:{port}/health/live")[0] == 200, seconds=10)
        assert psutil.Process(web.pid).children() != first
    finally:
        web.kill()
