"""MLSIM in LibreOffice Calc: the component that registers the functions and the commands of the toolbar.

LibreOffice loads this file when the first function is called or the first button pressed. What it offers stands in
``functions.json`` beside it, where MLSIM is in ``config.json``; both are written by the installation.
"""

import json
import os

import unohelper
from com.sun.star.lang import XServiceInfo, XServiceName
from com.sun.star.sheet import XAddIn
from com.sun.star.task import XJob, XJobExecutor
from mlsim_libreoffice import bridge, check_units, names
from mlsim_libreoffice.calculator import Calculator
from org.mlsim.calc import XFunctions

FOLDER = os.path.dirname(__file__)


def _load(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return json.load(file)


CONFIG = _load("config.json")
FUNCTIONS = {function["method"]: function for function in _load("functions.json")}
CALCULATOR = Calculator(
    lambda: bridge.connect(CONFIG), [name for name, function in FUNCTIONS.items() if not function["remember"]]
)


class Service(unohelper.Base, XServiceInfo):
    """What both services say of themselves."""

    def getImplementationName(self):
        return self.IMPLEMENTATION

    def supportsService(self, name):
        return name in self.SERVICES

    def getSupportedServiceNames(self):
        return self.SERVICES


class Functions(Service, XAddIn, XServiceName, XFunctions):
    """The functions; their methods are added below."""

    IMPLEMENTATION, SERVICES = "org.mlsim.calc.Functions", ("com.sun.star.sheet.AddIn", "MLSIM")

    def __init__(self, context):
        self.locale = None

    # XServiceName
    def getServiceName(self):
        return "MLSIM"

    # XAddIn
    def setLocale(self, locale):
        self.locale = locale

    def getLocale(self):
        return self.locale

    def getProgrammaticFuntionName(self, name):  # spelt so in LibreOffice's interface
        return name.upper().replace("MLSIM_", "", 1)

    def getDisplayFunctionName(self, method):
        return "MLSIM_" + method

    def getFunctionDescription(self, method):
        return FUNCTIONS[method]["description"]

    def getDisplayArgumentName(self, method, number):
        return _argument(method, number)["name"]

    def getArgumentDescription(self, method, number):
        return _argument(method, number)["help"]

    def getProgrammaticCategoryName(self, method):
        return "Add-In"

    def getDisplayCategoryName(self, method):
        return "Add-In"


def _argument(method, number):
    args = FUNCTIONS[method]["args"]
    return args[min(max(number - 1, 0), len(args) - 1)]  # number 0 is the document, which Calc fills in


def _method(name):
    full, vararg = "MLSIM_" + name, FUNCTIONS[name]["vararg"]

    def method(self, document, *args):
        given = (*args[:-1], *args[-1]) if vararg else args
        return CALCULATOR.call(full, document, given)

    return method


for _name in FUNCTIONS:
    setattr(Functions, _name, _method(_name))


class Commands(Service, XJobExecutor, XJob):
    """What the toolbar, the menu and the opening of a document ask for."""

    IMPLEMENTATION, SERVICES = "org.mlsim.calc.Commands", ("org.mlsim.calc.Commands", "com.sun.star.task.Job")

    def __init__(self, context):
        self.context = context

    def trigger(self, command):  # a button or a menu entry: service:org.mlsim.calc.Commands?check_units
        desktop = self.context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", self.context)
        document = desktop.getCurrentComponent()
        if document is not None and command == "check_units":
            check_units.check(document, bridge.python(CONFIG))

    def execute(self, arguments):  # a document was opened
        environment = {v.Name: v.Value for a in arguments if a.Name == "Environment" for v in a.Value}
        document = environment.get("Model")
        if document is not None and document.supportsService("com.sun.star.sheet.SpreadsheetDocument"):
            changed = names.changes(document, frozenset(FUNCTIONS))
            if changed:
                CALCULATOR.prepare()
                names.write(document, changed)


g_ImplementationHelper = unohelper.ImplementationHelper()
for _class in (Functions, Commands):
    g_ImplementationHelper.addImplementation(_class, _class.IMPLEMENTATION, _class.SERVICES)
