"""Put an extension into a LibreOffice profile, or take it out: for a Python that has LibreOffice's ``uno``.

``uno_install.py SOFFICE PROFILE-URL IDENTIFIER [EXTENSION-URL]``: an empty profile is the user's own; without an
extension the one of that identifier is removed. LibreOffice's own ``unopkg`` refuses to work for root.
"""

import contextlib
import subprocess
import sys
import time

import uno
import unohelper
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import IllegalArgumentException
from com.sun.star.task import XInteractionHandler
from com.sun.star.ucb import XCommandEnvironment

PIPE = "mlsim-install"


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


def connect(process):
    """Return the context of the LibreOffice that was started, once it answers."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    deadline = time.monotonic() + 60
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={PIPE};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if time.monotonic() > deadline or process.poll() not in (None, 0):
                raise
            time.sleep(0.1)


def main(soffice, profile, identifier, extension=""):
    """Install or remove, in a LibreOffice without a window."""
    where = [f"-env:UserInstallation={profile}"] if profile else []
    process = subprocess.Popen(
        [soffice, *where, "--headless", "--norestore", "--nodefault", f"--accept=pipe,name={PIPE};urp;"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    context = connect(process)
    desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    try:
        manager = context.getByName("/singletons/com.sun.star.deployment.ExtensionManager")
        abort = manager.createAbortChannel()
        with contextlib.suppress(IllegalArgumentException):  # it was not there
            manager.removeExtension(identifier, identifier, "user", abort, Approve())
        if extension:
            manager.addExtension(extension, (), "user", abort, Approve())
    finally:
        if process.poll() is None:  # else one was open already and took the request: a person works in it
            desktop.terminate()
            process.wait(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
