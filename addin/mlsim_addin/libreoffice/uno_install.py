"""Put an extension into a LibreOffice profile, or take it out: for a Python that has LibreOffice's ``uno``.

``uno_install.py SOFFICE PROFILE-URL IDENTIFIER [EXTENSION-URL]``: an empty profile is the user's own; without an
extension the one of that identifier is removed. LibreOffice's own ``unopkg`` refuses to work for root.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time

import uno
import unohelper
from com.sun.star.connection import NoConnectException
from com.sun.star.deployment import DeploymentException
from com.sun.star.lang import DisposedException, IllegalArgumentException
from com.sun.star.task import XInteractionHandler
from com.sun.star.ucb import XCommandEnvironment

PIPE = f"mlsim-install-{os.getpid()}"


class Approve(unohelper.Base, XCommandEnvironment, XInteractionHandler):
    """Agrees to what the extension manager asks; the person asked for it by running the installation."""

    def getInteractionHandler(self):
        return self

    def getProgressHandler(self):
        return None

    def handle(self, request):
        for choice in request.getContinuations():
            if choice.queryInterface(uno.getTypeByName("com.sun.star.task.XInteractionApprove")):
                choice.select()


def start(soffice, profile):
    """Start a LibreOffice without a window; one that is open already takes the request instead."""
    where = [f"-env:UserInstallation={profile}"] if profile else []
    return subprocess.Popen(
        [soffice, *where, "--headless", "--norestore", "--nodefault", f"--accept=pipe,name={PIPE};urp;"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def connect(pipe, process=None, seconds=60):
    """Return the context of the LibreOffice that listens on a pipe, once it answers; not when its process failed."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    deadline = time.monotonic() + seconds
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if time.monotonic() > deadline or (process is not None and process.poll() not in (None, 0)):
                raise
            time.sleep(0.1)


def change(context, identifier, extension):
    """Take the extension out, if it is there, and put the new one in, if there is one."""
    manager = context.getByName("/singletons/com.sun.star.deployment.ExtensionManager")
    abort = manager.createAbortChannel()
    with contextlib.suppress(IllegalArgumentException):  # it was not there
        manager.removeExtension(identifier, identifier, "user", abort, Approve())
    if extension:
        manager.addExtension(extension, (), "user", abort, Approve())


def main(soffice, profile, identifier, extension=""):
    """Install or remove, in a LibreOffice without a window."""
    for attempt in range(3):
        process = start(soffice, profile)
        try:
            context = connect(PIPE, process)
            change(context, identifier, extension)
        except (DisposedException, DeploymentException):  # a new profile may not be ready yet, or start once more
            if attempt == 2:
                raise
            time.sleep(1)
            continue
        finally:
            end(process)
        return


def end(process):
    """End the LibreOffice that was started; one that was open already, which a person works in, stays."""
    for _ in range(3):  # it does not always listen while it starts
        if process.poll() is not None:
            return
        with contextlib.suppress(DisposedException, NoConnectException):
            context = connect(PIPE, process, 10)
            context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context).terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return
    kill(process)  # it hangs on its way out; what it was started for is done


def kill(process):
    """End a LibreOffice and the script that started it."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # the bridge to a LibreOffice that has ended may crash while Python tidies up
