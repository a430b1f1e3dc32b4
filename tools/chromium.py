"""The browser of the browser tests: the machine's own Chromium, installed by apt when it is missing."""

import os
import shutil
import subprocess

from tools.supervisor import say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
PACKAGES = ("chromium", "fonts-dejavu-core")


def find() -> str | None:
    """The path of a Chromium: `CHROMIUM` from the environment, one on PATH, or the Mac's Chrome."""
    named = os.environ.get("CHROMIUM")
    candidates = (shutil.which(name) for name in ((named,) if named else NAMES))
    return next(filter(None, candidates), MAC if os.path.exists(MAC) else None)  # noqa: PTH110


def ensure() -> None:
    """Installs it where that is possible without a question; otherwise says what to do, and the browser tests will fail."""
    if find():
        return
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (rights and not shutil.which("sudo")):
        say("No Chromium was found. Install Chromium or Chrome, or set CHROMIUM to its path: the browser tests need it.")
        return
    say("Installing Chromium for the browser tests")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update", "-q"), ("install", "-q", "-y", "--no-install-recommends", *PACKAGES)):
        command = [*rights, "apt-get", *arguments]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"Chromium could not be installed: `{' '.join(command)}` said:\n{(done.stderr or done.stdout).strip()[-2000:]}")
            return
