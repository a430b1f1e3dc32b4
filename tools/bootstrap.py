"""From a bare machine to a running command: `python3 tools/bootstrap.py <lock file> <module> [arguments]`.

Makes `.venv`, installs the hash-locked requirements when they have changed, and replaces itself by
`.venv/bin/python -m <module>`. Plain standard library, and readable by an older Python so that it can say what is missing.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
OLDEST = (3, 11)
NEWER = ["python3.14", "python3.13", "python3.12", "python3.11"]


def main(arguments: "list[str]") -> None:
    use_new_enough_python()
    lock, module, rest = arguments[0], arguments[1], arguments[2:]
    try:
        make_environment()
        install(lock)
    except subprocess.CalledProcessError as error:
        sys.exit("Setting up .venv failed: %s (exit code %d). See the lines above." % (" ".join(error.cmd), error.returncode))
    except KeyboardInterrupt:
        sys.exit("Stopped while setting up; run the same command again to go on.")
    os.chdir(ROOT)
    os.execv(VENV_PYTHON, [VENV_PYTHON, "-m", module, *rest])


def use_new_enough_python() -> None:
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    sys.exit(
        "Dialog Bus needs Python 3.11 or newer; this is %d.%d. Install one, or name it: make PYTHON=/path/to/python3.12 demo"
        % sys.version_info[:2]
    )


def make_environment() -> None:
    """A `.venv` that was moved or whose Python was removed is made anew."""
    if works(VENV_PYTHON):
        return
    say("Making .venv with Python %d.%d" % sys.version_info[:2])
    if not has_ensurepip():
        install_venv_package()
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def works(python: str) -> bool:
    question = "import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix != %r)" % VENV
    return os.path.exists(python) and subprocess.run([python, "-c", question], stderr=subprocess.DEVNULL, check=False).returncode == 0


def has_ensurepip() -> bool:
    return subprocess.run([sys.executable, "-c", "import ensurepip"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def install_venv_package() -> None:
    """Debian keeps `ensurepip` in a package of its own; root may install it, anybody else is told how."""
    package = "python%d.%d-venv" % sys.version_info[:2]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(
            "This Python cannot make virtual environments. Install its venv module (Debian, Ubuntu: sudo apt-get install %s) and try again."
            % package
        )
    say("Installing %s" % package)
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(["apt-get", "update", "-q"], check=True, env=quiet)
    subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], check=True, env=quiet)


def install(lock: str) -> None:
    """Nothing to do when this very lock was installed before; the note of it lies inside `.venv`."""
    with open(os.path.join(ROOT, lock), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(VENV, lock + ".installed")
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == digest:
                return
    say("Installing %s into .venv (a minute or two the first time)" % lock)
    options = ["--quiet", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    subprocess.run([VENV_PYTHON, "-m", "pip", "install", *options, "-r", os.path.join(ROOT, lock)], check=True, stdin=subprocess.DEVNULL)
    with open(stamp, "w") as file:
        file.write(digest)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
