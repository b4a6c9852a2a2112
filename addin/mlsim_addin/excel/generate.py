"""The Excel module and its VBA part, written from the catalogue.

What classic Excel allows: every cell is a call of its own, one after the other, and there is no hook at the end of a
recalculation at which many cells could be answered as one. A range as an argument is one call, computed as one array
and spilled; that is the batch, for 10,000 rows as for ten. The VBA part keeps the cost of a single cell low: it holds
on to the Python process instead of looking it up in the configuration each time, and it sends values, not ranges, so
that Python need not call back into Excel. In Python the catalogue remembers results, so that equal cells are computed
once.
"""

from __future__ import annotations

import json
import keyword
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from mlsim.functions import Arg, Function
from mlsim_addin.excel.cells import ERROR_MARK, ERROR_NUMBERS
from mlsim_addin.texts import category, description, help_text, shortened
from mlsim_workbooks.functions import CATALOGUE, HEADER

__all__ = ["identifier", "python_source", "vba_source"]

NAME_LIMIT = 64
WIDTH = 120
MODULE = "mlsim_addin.excel.udfs"
CHECK_MODULE = "mlsim_addin.excel.check_units"

# Words VBA does not allow as a name, and the names our wrapper and xlwings use themselves.
_WORDS = """
    abs addressof and any array as attribute boolean byref byte byval call case cbool cbyte ccur cdate cdbl cdec cdecl
    cint circle clng clnglng clngptr close const csng cstr currency cvar cverr date debug decimal declare dim do doevents
    double each else elseif empty end endif enum eqv erase event exit false fix for friend function get global gosub goto
    if imp implements in input inputb int integer is lbound len lenb let like linein lineinput lock long longlong longptr
    loop lset me mod new next not nothing null object on open option optional or paramarray preserve print private pset
    public put raiseevent redim rem resume return rset scale seek select set sgn shared single spc static stop string
    sub tab then to true type typeof ubound unlock until variant wend while with withevents write xor
    mlsim_given mlsim_i xw cells
"""
_RESERVED = frozenset(_WORDS.split())
# The VBA editor reads files in the machine's own code page, so its text is plain ASCII.
_ASCII = str.maketrans(
    {"×": "x", "·": "*", "÷": "/", "–": "-", "—": "-", "−": "-", "≤": "<=", "≥": ">=", "≈": "~", "→": "->", "…": "..."}
    | {"“": '"', "”": '"', "‘": "'", "’": "'", "€": "EUR", "£": "GBP", "±": "+/-", "∞": "infinity", "√": "sqrt"}
)


# --- texts -----------------------------------------------------------------------------------------------------------


def identifier(name: str) -> str:
    """Return an argument's name as Python and VBA both allow it: a reserved word gets an underscore."""
    return f"{name}_" if name.lower() in _RESERVED or keyword.iskeyword(name) else name


def _ascii(text: str) -> str:
    def plain(character: str) -> str:
        if character.isascii():
            return character
        base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        return base or unicodedata.name(character, "?").split()[-1].lower()  # a Greek letter becomes its name

    return shortened("".join(map(plain, text.translate(_ASCII))))


def _checked() -> list[Function]:
    """Return the catalogue in order of names; raise where Excel, VBA or xlwings could not take a function."""
    for function in CATALOGUE.values():
        names = [identifier(arg.name).lower() for arg in function.args]
        optional = [arg.optional for arg in function.args]
        varargs = [arg for arg in function.args if arg.vararg]
        problem = (
            (not re.fullmatch(r"[A-Z][A-Z0-9_]*", function.name) and "its name is not plain upper case")
            or (len(function.name) > NAME_LIMIT and f"its name is longer than {NAME_LIMIT}")
            or (len(set(names)) != len(names) and "two arguments differ in case only")
            or (any(not name.isidentifier() or name[0] == "_" for name in names) and "an argument's name is not plain")
            or (len(names) > 20 and "VBA continues a statement over at most 24 lines")
            or (varargs not in ([], list(function.args[-1:])) and "only the last argument can take many values")
            or (bool(varargs) and any(optional[:-1]) and "xlwings takes no optional argument before one of many values")
            or (sorted(optional) != optional and "a required argument follows an optional one")
        )
        if problem:
            raise ValueError(f"{function.name}: {problem}.")
    return sorted(CATALOGUE.values(), key=lambda f: f.name)


# --- Python ----------------------------------------------------------------------------------------------------------


def python_source() -> str:
    """Return the text of ``udfs.py``."""
    functions = _checked()
    head = '''\
"""The catalogue as Excel worksheet functions, through xlwings.

Generated by ``python -m mlsim_addin.generate`` from the catalogue; do not edit.
"""

from __future__ import annotations

from typing import Any

import xlwings as xw

from mlsim_addin.excel import cells

__all__ = [
'''
    names = "".join(f'    "{function.name}",\n' for function in functions)
    return head + names + "]\n" + "".join(f"\n\n{_python_function(f)}" for f in functions)


def _python_function(function: Function) -> str:
    lines = [f"@xw.func(category={_literal(category(function))})"]
    for arg in function.args:
        lines += _argument_decorator(arg)
    parameters = [_python_parameter(arg) for arg in function.args]
    head = f"def {function.name}({', '.join(parameters)}) -> Any:"
    if len(head) <= WIDTH:
        lines.append(head)
    else:
        line = f"    {', '.join(parameters)}"
        lines += [f"def {function.name}(", *([line] if len(line) <= WIDTH else _one_each(parameters)), ") -> Any:"]
    lines += _docstring(function.doc)
    values = [f"*{identifier(a.name)}" if a.vararg else identifier(a.name) for a in function.args]
    lines.append(f"    return cells.call({', '.join([_literal(function.name), *values])})")
    return "\n".join(lines) + "\n"


def _argument_decorator(arg: Arg) -> list[str]:
    text = help_text(arg)
    name = _literal(identifier(arg.name))
    line = f"@xw.arg({name}, ndim=2, err_to_str=True, doc={_literal(text)})"
    if len(line) <= WIDTH:
        return [line]
    line = f"    {name}, ndim=2, err_to_str=True, doc={_literal(text)}"
    if len(line) <= WIDTH:
        return ["@xw.arg(", line, ")"]
    chunks = textwrap.wrap(text, WIDTH - 12)
    literals = [_literal(chunk + " ") for chunk in chunks[:-1]] + [_literal(chunks[-1])]
    literals[-1] += ","
    body = [f"    {name},", "    ndim=2,", "    err_to_str=True,", f"    doc={literals[0]}"]
    return ["@xw.arg(", *body, *(f"    {literal}" for literal in literals[1:]), ")"]


def _python_parameter(arg: Arg) -> str:
    name = identifier(arg.name)
    return f"*{name}: Any" if arg.vararg else f"{name}: Any" + (" = None" if arg.optional else "")


def _one_each(items: Iterable[str]) -> list[str]:
    return [f"    {item}," for item in items]


def _docstring(doc: str) -> list[str]:
    text = doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = [line for part in text.splitlines() for line in (textwrap.wrap(part, WIDTH - 10) or [""])]
    if len(lines) == 1 and not lines[0].endswith('"'):
        return [f'    """{lines[0]}"""']
    body = [f'    """{lines[0]}', *(f"    {line}" if line else "" for line in lines[1:])]
    return [*body, '    """']


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# --- VBA -------------------------------------------------------------------------------------------------------------

_VBA_HEAD = """\
Attribute VB_Name = "MLSIM_Functions"
' MLSIM worksheet functions, generated by "python -m mlsim_addin.generate"; do not edit.
'
' "mlsim install excel" puts this module into an add-in. By hand: import it into a workbook that has xlwings' VBA
' module or a reference to its add-in (classic xlwings, BSD-3-Clause): XLPy, the Python process, comes from there.
' A failure gives a real cell error; =MLSIM_WHY("MLSIM_...", the same arguments) gives the sentence for it.
Option Explicit

Private mlsim_server As Object, mlsim_problem As String, mlsim_until As Date
"""

_VBA_TAIL = """\
' Asks Python. It gets values, not ranges: it would have to ask Excel for the values of a range, cell after cell.
' As in xlwings only a cell gets a failure as its value; a macro gets the error itself.
Private Function MLSIM_Answer(ByVal functionName As String, ByVal given As Variant) As Variant
    Dim i As Long, wasNew As Boolean
    If TypeName(Application.Caller) = "Range" Then On Error GoTo failed
    For i = LBound(given) To UBound(given)
        If TypeName(given(i)) = "Range" Then given(i) = given(i).Value
    Next i
again:
    wasNew = mlsim_server Is Nothing
    MLSIM_Answer = MLSIM_Shown(MLSIM_Python().CallUDF("{module}", functionName, given, Nothing, Nothing))
    Exit Function
failed:
    Set mlsim_server = Nothing
    If Not wasNew Then Resume again
    ' Where not even Python answers, MLSIM_WHY is the one that can still say why.
    If functionName = "MLSIM_WHY" Then MLSIM_Answer = Err.Description Else MLSIM_Answer = CVErr(xlErrValue)
End Function

' Gives the Python process, and starts it at first. One that does not start is not tried again by every cell.
Private Function MLSIM_Python() As Object
    If mlsim_server Is Nothing Then
        If Now < mlsim_until Then Err.Raise 1000, "MLSIM", mlsim_problem
        On Error GoTo failed
        Set mlsim_server = XLPy
    End If
    Set MLSIM_Python = mlsim_server
    Exit Function
failed:
    mlsim_problem = Err.Description
    mlsim_until = Now + TimeSerial(0, 0, 10)
    Err.Raise 1000, "MLSIM", mlsim_problem
End Function

' Turns marked text into a real error, in a single result and in every cell of a range that spills.
Private Function MLSIM_Shown(ByVal result As Variant) As Variant
    Dim r As Long, c As Long
    Select Case MLSIM_Dimensions(result)
        Case 0
            result = MLSIM_Cell(result)
        Case 1
            For c = LBound(result) To UBound(result)
                result(c) = MLSIM_Cell(result(c))
            Next c
        Case 2
            For r = LBound(result, 1) To UBound(result, 1)
                For c = LBound(result, 2) To UBound(result, 2)
                    result(r, c) = MLSIM_Cell(result(r, c))
                Next c
            Next r
    End Select
    MLSIM_Shown = result
End Function

Private Function MLSIM_Dimensions(ByVal result As Variant) As Long
    Dim upper As Long
    If Not IsArray(result) Then Exit Function
    MLSIM_Dimensions = 1
    On Error Resume Next
    upper = UBound(result, 2)
    If Err.Number = 0 Then MLSIM_Dimensions = 2
End Function

Private Function MLSIM_Cell(ByVal content As Variant) As Variant
    MLSIM_Cell = content
    If VarType(content) = vbString Then
        If Left$(content, 1) = ChrW$({mark}) Then MLSIM_Cell = MLSIM_CellError(Mid$(content, 2))
    End If
End Function

Private Function MLSIM_CellError(ByVal sentence As String) As Variant
    Select Case Split(sentence & " ", " ")(0)
{cases}
        Case Else: MLSIM_CellError = CVErr(xlErrValue)
    End Select
End Function

Private Sub MLSIM_Describe(ByVal functionName As String, ByVal category As String, ByVal what As String, _
                           ByVal arguments As Variant)
    Application.MacroOptions Macro:="'" & ThisWorkbook.Name & "'!" & functionName, Description:=what, _
        Category:=category, ArgumentDescriptions:=arguments
End Sub
"""

_VBA_CHECK = """\
' Looks for unit mistakes in the active workbook as it is now, saved or not, and lists them on a sheet "Findings".
' Give it to a button or the ribbon, or run it from the list of macros.
Public Sub MLSIM_CheckUnits()
    Dim book As Workbook, folder As String, file As String, found As Variant, problem As String
    Set book = ActiveWorkbook
    If book Is Nothing Then Exit Sub
    On Error GoTo failed
    folder = Environ$("TEMP") & "\\mlsim-" & Format$(Now, "yyyymmddhhnnss")
    MkDir folder
    file = folder & "\\" & book.Name
    If InStr(book.Name, ".") = 0 Then file = file & ".xlsx"
    book.SaveCopyAs file
    found = XLPy.CallUDF("{module}", "findings", Array(file), ThisWorkbook, Application.Caller)
    If IsArray(found) Then
        MLSIM_ListFindings book, found
    Else
        MLSIM_NoFindings book, found
    End If
    GoTo clean
failed:
    problem = Err.Description
    Resume clean
clean:
    On Error Resume Next
    Kill file
    RmDir folder
    On Error GoTo 0
    If problem <> "" Then MsgBox "The units could not be checked: " & problem, vbExclamation, "MLSIM"
End Sub

Private Sub MLSIM_ListFindings(ByVal book As Workbook, ByVal found As Variant)
    Dim sheet As Worksheet, height As Long, width As Long
    height = UBound(found, 1) - LBound(found, 1) + 1
    width = UBound(found, 2) - LBound(found, 2) + 1
    Set sheet = MLSIM_FindingsSheet(book)
    If sheet Is Nothing Then
        Set sheet = book.Worksheets.Add(After:=book.Sheets(book.Sheets.Count))
        sheet.Name = MLSIM_FreeTitle(book)
    End If
    sheet.Cells.Clear
    sheet.Range("A1").Resize(height, width).Value = found
    sheet.Rows(1).Font.Bold = True
    sheet.Columns("A:D").AutoFit
    sheet.Columns("E:F").ColumnWidth = 60
    sheet.Columns("E:F").WrapText = True
    sheet.Activate
End Sub

' Without findings an earlier list is emptied: it would tell what no longer holds.
Private Sub MLSIM_NoFindings(ByVal book As Workbook, ByVal sentence As Variant)
    Dim sheet As Worksheet
    Set sheet = MLSIM_FindingsSheet(book)
    If Not sheet Is Nothing Then sheet.Rows("2:" & sheet.Rows.Count).Clear
    MsgBox sentence, vbInformation, "MLSIM"
End Sub

' Gives the sheet that an earlier check wrote; a person's own sheet of that name has other headers and stays as it is.
Private Function MLSIM_FindingsSheet(ByVal book As Workbook) As Worksheet
    Dim sheet As Worksheet
    For Each sheet In book.Worksheets
        If sheet.Name Like "Findings*" And sheet.Range("A1").Text = "{first}" And sheet.Range("F1").Text = "{last}" Then
            Set MLSIM_FindingsSheet = sheet
            Exit Function
        End If
    Next sheet
End Function

Private Function MLSIM_FreeTitle(ByVal book As Workbook) As String
    Dim taken As Object, title As String, n As Long
    title = "Findings"
    n = 1
    Do
        Set taken = Nothing
        On Error Resume Next
        Set taken = book.Sheets(title)
        On Error GoTo 0
        If taken Is Nothing Then Exit Do
        n = n + 1
        title = "Findings " & n
    Loop
    MLSIM_FreeTitle = title
End Function
"""

_VBA_ERRORS = {
    "#NULL!": "xlErrNull",
    "#DIV/0!": "xlErrDiv0",
    "#VALUE!": "xlErrValue",
    "#REF!": "xlErrRef",
    "#NAME?": "xlErrName",
    "#NUM!": "xlErrNum",
    "#N/A": "xlErrNA",
}


def vba_source() -> str:
    """Return the text of ``mlsim.bas``: ASCII, with the line ends the VBA editor needs."""
    functions = _checked()
    errors = [f'        Case "{code}": MLSIM_CellError = CVErr({_VBA_ERRORS[code]})' for code in ERROR_NUMBERS.values()]
    tail = _VBA_TAIL.replace("{mark}", str(ord(ERROR_MARK))).replace("{cases}", "\n".join(errors))
    tail = tail.replace("{module}", MODULE)
    texts = {"{module}": CHECK_MODULE, "{first}": HEADER[0], "{last}": HEADER[-1]}
    check = _VBA_CHECK
    for mark, word in texts.items():
        check = check.replace(mark, word)
    text = "\n".join([_VBA_HEAD, *map(_vba_function, functions), *_vba_registration(functions), check, tail])
    for line in text.splitlines():
        if len(line) > 1000 or not line.isascii():
            raise ValueError(f"VBA does not take this line: {line[:80]} ...")
    return text.replace("\n", "\r\n")


def _vba_function(function: Function) -> str:
    name, names = function.name, [identifier(arg.name) for arg in function.args]
    parameters = [
        f"ParamArray {n}()" if arg.vararg else f"Optional {n}" if arg.optional else n
        for arg, n in zip(function.args, names, strict=True)
    ]
    lines = [f"Public Function {name}({', '.join(parameters)})"]
    given = f"Array({', '.join(names)})"
    if function.args and function.args[-1].vararg:
        lines += _vba_joined(names[:-1], names[-1])
        given = "mlsim_given"
    lines += [f'    {name} = MLSIM_Answer("{name}", {given})', "End Function"]
    return "\n".join(lines) + "\n"


def _vba_joined(first: Sequence[str], rest: str) -> list[str]:
    """Return the lines that join leading arguments and a parameter array into ``mlsim_given``."""
    offset = f"{len(first)} + " if first else ""
    return [
        "    Dim mlsim_given() As Variant, mlsim_i As Long",
        f"    ReDim mlsim_given(0 To {offset}UBound({rest}))",
        *(f"    mlsim_given({i}) = {name}" for i, name in enumerate(first)),
        f"    For mlsim_i = 0 To UBound({rest})",
        f"        mlsim_given({offset}mlsim_i) = {rest}(mlsim_i)",
        "    Next mlsim_i",
    ]


def _vba_registration(functions: Sequence[Function]) -> list[str]:
    """Return the macros that give Excel's function wizard its texts: one a category, as VBA limits their size."""
    groups = sorted({function.category for function in functions})
    macros = {group: "MLSIM_Register_" + re.sub(r"\W", "_", _ascii(group)) for group in groups}
    parts = ["' Run once a session, from Workbook_Open for instance, to see descriptions in the function wizard."]
    parts += ["Public Sub MLSIM_Register()", *(f"    {macro}" for macro in macros.values()), "End Sub", ""]
    for group, macro in macros.items():
        parts.append(f"Private Sub {macro}()")
        for function in functions:
            if function.category == group:
                texts = ", _\n        ".join(_vba_literal(help_text(arg)) for arg in function.args)
                parts += [
                    f'    MLSIM_Describe "{function.name}", {_vba_literal(category(function))}, _',
                    f"        {_vba_literal(description(function))}, _",
                    f"        Array({texts})",
                ]
        parts += ["End Sub", ""]
    return parts


def _vba_literal(text: str) -> str:
    return '"' + _ascii(text).replace('"', '""') + '"'
