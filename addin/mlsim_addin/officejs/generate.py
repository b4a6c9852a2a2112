"""What Excel asks for, made from the catalogue: the manifest, ``functions.json`` and ``functions.js``.

The server makes them when they are asked for, so nothing can be stale.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from mlsim import __version__
from mlsim.errors import CellError
from mlsim.functions import Arg, Function
from mlsim_addin.texts import description, help_text
from mlsim_workbooks.functions import CATALOGUE

__all__ = ["functions_js", "functions_json", "manifest", "names", "sources"]

STATIC = Path(__file__).parent / "static"
GUID = "6d0a7b5e-54c3-4f0c-9a53-2c1d8a0f7e41"  # Excel knows the add-in by it: it must never change
NAMESPACE = "MLSIM"
ICONS = (16, 32, 64, 80)
COMMON = (
    "MLSIM_DECODE_LATENCY", "MLSIM_PREFILL_LATENCY", "MLSIM_THROUGHPUT", "MLSIM_FITS", "MLSIM_MEMORY", "MLSIM_MAX_BATCH",
    "MLSIM_MIN_DEVICES", "MLSIM_BOTTLENECK", "MLSIM_TRAIN_TIME", "MLSIM_SPEC", "MLSIM_CONVERT", "MLSIM_WHY",
)  # fmt: skip
"""The functions the task pane offers first."""


def function_id(function: Function) -> str:
    """Return the name within the namespace: MLSIM_X becomes X, which Excel shows as MLSIM.X."""
    return function.name.removeprefix(f"{NAMESPACE}_")


def functions_json() -> dict[str, Any]:
    """Return the metadata of all functions.

    Every argument is a matrix of anything: a range arrives whole, with its empty cells and its errors.
    """
    return {
        "allowErrorForDataTypeAny": True,
        "functions": [
            {
                "id": function_id(function),
                "name": function_id(function),
                "description": description(function),
                "parameters": [_parameter(arg) for arg in function.args],
                "result": {"type": "any", "dimensionality": "matrix"},
                "options": {"cancelable": True},
            }
            for function in CATALOGUE.values()
        ],
    }


def _parameter(arg: Arg) -> dict[str, Any]:
    found = {"name": arg.name, "description": help_text(arg), "type": "any", "dimensionality": "matrix"}
    if arg.vararg:
        return {**found, "repeating": True}
    return {**found, "optional": True} if arg.optional else found


def functions_js() -> str:
    """Return the script that associates each function, with how many arguments it has and whether the last repeats."""
    table = {function_id(f): [len(f.args), bool(f.args) and f.args[-1].vararg] for f in CATALOGUE.values()}
    return f"const MLSIM_FUNCTIONS = {json.dumps(table)};\n{(STATIC / 'functions.js').read_text(encoding='utf-8')}"


def names() -> dict[str, Any]:
    """Return what the task pane offers: the functions with their arguments, and the registry's names."""
    from mlsim.registry import load

    return {
        "version": __version__,
        "functions": [
            {
                "id": function_id(f),
                "category": f.category,
                "description": description(f),
                "common": f.name in COMMON,
                "example": _example(f),
                "parameters": [_field(arg) for arg in f.args],
            }
            for f in sorted(CATALOGUE.values(), key=lambda f: COMMON.index(f.name) if f.name in COMMON else len(COMMON))
        ],
        "model": list(load.model_names()),
        "hardware": list(load.chip_names()),
        "runtime": list(load.runtime_names()),
        "precision": list(load.precision_names()),
    }


def _field(arg: Arg) -> dict[str, Any]:
    default = arg.default if arg.optional and not arg.vararg else None
    return {
        "name": arg.name, "kind": arg.kind, "help": help_text(arg), "optional": arg.optional, "repeating": arg.vararg,
        "default": default,
    }  # fmt: skip


def sources(wanted: list[str]) -> list[dict[str, Any]]:
    """Return the figures of registry entries, each with its source; a name that the registry lacks is left out."""
    from mlsim.registry.figures import entry
    from mlsim.registry.tables import sources as cited

    found = []
    for name in dict.fromkeys(wanted):
        try:
            figures = entry(name)
        except CellError:
            continue
        rows = [
            {
                "attribute": attribute.replace("_", " "),
                "value": figure.value if figure.unit in ("count", "ratio") else figure.text,
                "meaning": figure.meaning,
                "title": cited().get(figure.source, {}).get("title", figure.source),
                "place": figure.locator,
                "address": cited().get(figure.source, {}).get("address", ""),
                "date": cited().get(figure.source, {}).get("date", ""),
            }
            for attribute, figure in figures.figures.items()
        ]
        found.append({"name": figures.name, "figures": rows})
    return found


_EXAMPLE = re.compile(r"=MLSIM_\w+\((.*)\)", re.S)
_ARGUMENT = re.compile(r'"((?:[^"]|"")*)"|([^",]+)')


def _example(function: Function) -> list[str]:
    """Return the example's arguments as a person types them into the pane: text without quotes, "=A1" for a cell."""
    found = _EXAMPLE.fullmatch(function.example)
    if found is None or "(" in found[1]:
        return []
    return [
        text.replace('""', '"') if not bare else bare.strip() if _is_number(bare) else f"={bare.strip()}"
        for text, bare in _ARGUMENT.findall(found[1])
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _version() -> str:
    """Return the version as a manifest has it: four numbers."""
    numbers = [*re.findall(r"\d+", __version__)[:4], "0", "0", "0", "0"]
    return ".".join(str(int(n)) for n in numbers[:4])


def manifest(port: int) -> str:
    """Return the manifest for a server on a port of this machine, as Excel takes it in."""
    origin = f"https://localhost:{port}"
    urls = {
        "Taskpane.Url": f"{origin}/pane.html",
        "Functions.Script.Url": f"{origin}/functions.js",
        "Functions.Metadata.Url": f"{origin}/functions.json",
        "Help.Url": f"{origin}/pane.html",
    }
    shorts = {"Functions.Namespace": NAMESPACE, "Group.Label": NAMESPACE, "Button.Label": "MLSIM"}
    longs = {
        "Button.Tip": "Insert a formula, check the sheet's units, see where each figure comes from.",
        "Started.Text": "MLSIM is ready: choose MLSIM on the Home tab.",
    }
    return _MANIFEST.format(
        id=GUID, version=_version(), origin=origin,
        images=_resources("Image", {f"Icon.{n}": f"{origin}/icon-{n}.png" for n in ICONS}),
        urls=_resources("Url", urls), shorts=_resources("String", shorts), longs=_resources("String", longs),
    )  # fmt: skip


def _resources(element: str, values: dict[str, str]) -> str:
    return "\n".join(
        f'        <bt:{element} id="{escape(name)}" DefaultValue="{escape(value, {chr(34): "&quot;"})}"/>'
        for name, value in values.items()
    )


_MANIFEST = """\
<?xml version="1.0" encoding="UTF-8"?>
<OfficeApp xmlns="http://schemas.microsoft.com/office/appforoffice/1.1"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:bt="http://schemas.microsoft.com/office/officeappbasictypes/1.0"
  xmlns:ov="http://schemas.microsoft.com/office/taskpaneappversionoverrides" xsi:type="TaskPaneApp">
  <Id>{id}</Id>
  <Version>{version}</Version>
  <ProviderName>MLSIM</ProviderName>
  <DefaultLocale>en-US</DefaultLocale>
  <DisplayName DefaultValue="MLSIM"/>
  <Description DefaultValue="Capacity planning for machine-learning systems, inside the spreadsheet."/>
  <IconUrl DefaultValue="{origin}/icon-32.png"/>
  <HighResolutionIconUrl DefaultValue="{origin}/icon-64.png"/>
  <SupportUrl DefaultValue="{origin}/pane.html"/>
  <AppDomains>
    <AppDomain>{origin}</AppDomain>
  </AppDomains>
  <Hosts>
    <Host Name="Workbook"/>
  </Hosts>
  <Requirements>
    <Sets DefaultMinVersion="1.1">
      <Set Name="SharedRuntime" MinVersion="1.1"/>
      <Set Name="CustomFunctionsRuntime" MinVersion="1.2"/>
    </Sets>
  </Requirements>
  <DefaultSettings>
    <SourceLocation DefaultValue="{origin}/pane.html"/>
  </DefaultSettings>
  <Permissions>ReadWriteDocument</Permissions>
  <VersionOverrides xmlns="http://schemas.microsoft.com/office/taskpaneappversionoverrides"
    xsi:type="VersionOverridesV1_0">
    <Hosts>
      <Host xsi:type="Workbook">
        <Runtimes>
          <Runtime resid="Taskpane.Url" lifetime="long"/>
        </Runtimes>
        <AllFormFactors>
          <ExtensionPoint xsi:type="CustomFunctions">
            <Script>
              <SourceLocation resid="Functions.Script.Url"/>
            </Script>
            <Page>
              <SourceLocation resid="Taskpane.Url"/>
            </Page>
            <Metadata>
              <SourceLocation resid="Functions.Metadata.Url"/>
            </Metadata>
            <Namespace resid="Functions.Namespace"/>
          </ExtensionPoint>
        </AllFormFactors>
        <DesktopFormFactor>
          <GetStarted>
            <Title resid="Button.Label"/>
            <Description resid="Started.Text"/>
            <LearnMoreUrl resid="Help.Url"/>
          </GetStarted>
          <FunctionFile resid="Taskpane.Url"/>
          <ExtensionPoint xsi:type="PrimaryCommandSurface">
            <OfficeTab id="TabHome">
              <Group id="Mlsim.Group">
                <Label resid="Group.Label"/>
                <Icon>
                  <bt:Image size="16" resid="Icon.16"/>
                  <bt:Image size="32" resid="Icon.32"/>
                  <bt:Image size="80" resid="Icon.80"/>
                </Icon>
                <Control xsi:type="Button" id="Mlsim.Pane">
                  <Label resid="Button.Label"/>
                  <Supertip>
                    <Title resid="Button.Label"/>
                    <Description resid="Button.Tip"/>
                  </Supertip>
                  <Icon>
                    <bt:Image size="16" resid="Icon.16"/>
                    <bt:Image size="32" resid="Icon.32"/>
                    <bt:Image size="80" resid="Icon.80"/>
                  </Icon>
                  <Action xsi:type="ShowTaskpane">
                    <TaskpaneId>Mlsim.Taskpane</TaskpaneId>
                    <SourceLocation resid="Taskpane.Url"/>
                  </Action>
                </Control>
              </Group>
            </OfficeTab>
          </ExtensionPoint>
        </DesktopFormFactor>
      </Host>
    </Hosts>
    <Resources>
      <bt:Images>
{images}
      </bt:Images>
      <bt:Urls>
{urls}
      </bt:Urls>
      <bt:ShortStrings>
{shorts}
      </bt:ShortStrings>
      <bt:LongStrings>
{longs}
      </bt:LongStrings>
    </Resources>
  </VersionOverrides>
</OfficeApp>
"""
