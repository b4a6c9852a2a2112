Attribute VB_Name = "MLSIM_Ribbon"
' What the tab MLSIM of Excel's ribbon does. The Python side is mlsim_addin/excel/ribbon.py.
Option Explicit

Public Sub MLSIM_OnCompare(control As IRibbonControl)
    MLSIM_InsertComparison
End Sub

Public Sub MLSIM_OnCheckUnits(control As IRibbonControl)
    MLSIM_CheckUnits
End Sub

Public Sub MLSIM_OnRecalculate(control As IRibbonControl)
    MLSIM_Recalculate
End Sub

Public Sub MLSIM_OnSources(control As IRibbonControl)
    MLSIM_Sources
End Sub

Public Sub MLSIM_OnNames(control As IRibbonControl)
    MLSIM_UseNames
End Sub

' Excel runs this once it has started: while it opens its add-ins there is no workbook yet, and without one it does not
' take descriptions. A hidden workbook, which an add-in is, may not give any in some versions: then it is shown shortly.
Public Sub MLSIM_AtStart()
    On Error GoTo hidden
    MLSIM_Register
    ThisWorkbook.Saved = True
    Exit Sub
hidden:
    Resume again
again:
    On Error Resume Next
    Application.ScreenUpdating = False
    ThisWorkbook.IsAddin = False
    MLSIM_Register
    ThisWorkbook.IsAddin = True
    ThisWorkbook.Saved = True
    Application.ScreenUpdating = True
End Sub

' --- insert comparison ---

' Asks for a model and accelerators, proposing the names in the selected cells, and opens the workbook as a new one.
Public Sub MLSIM_InsertComparison()
    Dim proposed As Variant, model As String, chips As String, file As Variant
    On Error GoTo failed
    proposed = XLPy.CallUDF("mlsim_addin.excel.ribbon", "proposal", Array(MLSIM_Selected()), Nothing, Nothing)
    model = InputBox("Model, such as Llama-3-70B:", "MLSIM comparison", proposed(LBound(proposed)))
    If model = "" Then Exit Sub
    chips = InputBox("Accelerators, separated by commas:", "MLSIM comparison", proposed(UBound(proposed)))
    If chips = "" Then Exit Sub
    Application.Cursor = xlWait
    file = XLPy.CallUDF("mlsim_addin.excel.ribbon", "comparison", Array(model, chips), Nothing, Nothing)
    Application.Cursor = xlDefault
    If MLSIM_IsProblem(file) Then
        MLSIM_Say Mid$(file, 2), vbExclamation
        Exit Sub
    End If
    Workbooks.Add Template:=file
    Kill file
    RmDir Left$(file, InStrRev(file, "\") - 1)
    Exit Sub
failed:
    Application.Cursor = xlDefault
    MLSIM_Say "The comparison could not be made: " & Err.Description, vbExclamation
End Sub

Private Function MLSIM_Selected() As Variant
    Dim used As Range
    MLSIM_Selected = ""
    If TypeName(Selection) <> "Range" Then Exit Function
    Set used = Intersect(Selection.Areas(1), Selection.Worksheet.UsedRange)
    If Not used Is Nothing Then MLSIM_Selected = used.Value
End Function

' --- recalculate ---

Public Sub MLSIM_Recalculate()
    Dim problem As Variant
    On Error GoTo failed
    problem = XLPy.CallUDF("mlsim_addin.excel.ribbon", "forget", Array(), Nothing, Nothing)
    If MLSIM_IsProblem(problem) Then MLSIM_Say Mid$(problem, 2), vbExclamation
    Application.CalculateFull
    Exit Sub
failed:
    MLSIM_Say "The workbooks could not be recalculated: " & Err.Description, vbExclamation
End Sub

' --- sources ---

' Lists the figures behind the active cell, or behind all MLSIM formulas when it has none, from a copy of the workbook.
Public Sub MLSIM_Sources()
    Dim book As Workbook, folder As String, file As String, sheet As String, cell As String
    Dim found As Variant, problem As String
    Set book = ActiveWorkbook
    If book Is Nothing Then Exit Sub
    On Error GoTo failed
    If Not ActiveCell Is Nothing Then
        If ActiveCell.HasFormula And InStr(1, ActiveCell.Formula, "MLSIM", vbTextCompare) > 0 Then
            sheet = ActiveSheet.Name
            cell = ActiveCell.Address(False, False)
        End If
    End If
    folder = Environ$("TEMP") & "\mlsim-" & Format$(Now, "yyyymmddhhnnss")
    MkDir folder
    file = folder & "\" & book.Name
    If InStr(book.Name, ".") = 0 Then file = file & ".xlsx"
    book.SaveCopyAs file
    found = XLPy.CallUDF("mlsim_addin.excel.ribbon", "sources", Array(file, sheet, cell), Nothing, Nothing)
    If IsArray(found) Then
        MLSIM_ListSources book, found
    Else
        MLSIM_Say found, vbInformation
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
    If problem <> "" Then MLSIM_Say "The sources could not be listed: " & problem, vbExclamation
End Sub

Private Sub MLSIM_ListSources(ByVal book As Workbook, ByVal found As Variant)
    Dim sheet As Worksheet, height As Long, width As Long
    height = UBound(found, 1) - LBound(found, 1) + 1
    width = UBound(found, 2) - LBound(found, 2) + 1
    Set sheet = MLSIM_SourcesSheet(book)
    sheet.Cells.Clear
    sheet.Range("A1").Resize(height, width).Value = found
    sheet.Rows(1).Font.Bold = True
    sheet.Range("A1").Resize(height, width).WrapText = True
    sheet.Range("A1").Resize(height, width).VerticalAlignment = xlTop
    sheet.Columns("A:C").ColumnWidth = 20
    sheet.Columns("D:I").ColumnWidth = 36
    sheet.Columns("J").ColumnWidth = 24
    sheet.Activate
End Sub

' Gives the sheet that an earlier list was written to, or a new one; a person's own sheet "Sources" stays as it is.
Private Function MLSIM_SourcesSheet(ByVal book As Workbook) As Worksheet
    Dim sheet As Worksheet, taken As Object, title As String, n As Long
    For Each sheet In book.Worksheets
        If sheet.Name Like "Sources*" And sheet.Range("A1").Text = "of" And sheet.Range("J1").Text = "used in" Then
            Set MLSIM_SourcesSheet = sheet
            Exit Function
        End If
    Next sheet
    title = "Sources"
    n = 1
    Do
        Set taken = Nothing
        On Error Resume Next
        Set taken = book.Sheets(title)
        On Error GoTo 0
        If taken Is Nothing Then Exit Do
        n = n + 1
        title = "Sources " & n
    Loop
    Set sheet = book.Worksheets.Add(After:=book.Sheets(book.Sheets.Count))
    sheet.Name = title
    Set MLSIM_SourcesSheet = sheet
End Function

' --- use MLSIM names ---

' Rewrites formulas that other hosts wrote (MLSIM.X, _xldudf_MLSIM_X, _xll.MLSIM_X, [1]!MLSIM_X) to MLSIM_X.
Public Sub MLSIM_UseNames()
    Dim sheet As Worksheet, done As Long, skipped As String
    If ActiveWorkbook Is Nothing Then Exit Sub
    On Error GoTo failed
    For Each sheet In ActiveWorkbook.Worksheets
        If sheet.ProtectContents Then skipped = skipped & " " & sheet.Name Else done = done + MLSIM_RenameOn(sheet)
    Next sheet
    If skipped <> "" Then skipped = vbCrLf & "Protected sheets stayed as they are:" & skipped & "."
    MLSIM_Say "Formulas rewritten: " & done & "." & skipped, vbInformation
    Exit Sub
failed:
    MLSIM_Say "The formulas could not be rewritten: " & Err.Description, vbExclamation
End Sub

Private Function MLSIM_RenameOn(ByVal sheet As Worksheet) As Long
    Dim found As Range, cell As Object, before() As Variant, after As Variant, n As Long
    On Error Resume Next ' a sheet without formulas is an error here
    Set found = sheet.UsedRange.SpecialCells(xlCellTypeFormulas)
    On Error GoTo 0
    If found Is Nothing Then Exit Function
    ReDim before(1 To found.Count, 1 To 1)
    For Each cell In found
        n = n + 1
        before(n, 1) = MLSIM_FormulaOf(cell)
    Next cell
    after = XLPy.CallUDF("mlsim_addin.excel.ribbon", "plain_names", Array(before), Nothing, Nothing)
    If Not IsArray(after) Then after = Array(after) ' one formula comes alone
    n = 0
    For Each cell In found
        n = n + 1
        If MLSIM_Item(after, n) <> before(n, 1) Then
            MLSIM_SetFormula cell, MLSIM_Item(after, n)
            MLSIM_RenameOn = MLSIM_RenameOn + 1
        End If
    Next cell
End Function

Private Function MLSIM_Item(ByVal list As Variant, ByVal n As Long) As String
    Dim upper As Long
    On Error Resume Next
    upper = UBound(list, 2)
    If Err.Number = 0 Then
        MLSIM_Item = list(LBound(list, 1) + n - 1, LBound(list, 2))
    Else
        MLSIM_Item = list(LBound(list) + n - 1)
    End If
End Function

' Formula2 is there where formulas spill; an older Excel has Formula alone. Only the first cell of an array counts.
Private Function MLSIM_FormulaOf(ByVal cell As Object) As String
    Dim first As String
    first = cell.Address
    If cell.HasArray Then first = cell.CurrentArray.Cells(1, 1).Address
    On Error Resume Next ' what is not there leaves everything as it is
    first = cell.SpillParent.Address
    If cell.Address <> first Then Exit Function
    MLSIM_FormulaOf = cell.Formula
    MLSIM_FormulaOf = cell.Formula2
End Function

Private Sub MLSIM_SetFormula(ByVal cell As Object, ByVal text As String)
    If cell.HasArray Then
        cell.CurrentArray.FormulaArray = text
        Exit Sub
    End If
    On Error Resume Next
    cell.Formula2 = text
    If Err.Number <> 0 Then
        On Error GoTo 0
        cell.Formula = text
    End If
End Sub

' --- messages ---

' Python marks a sentence that says what went wrong with a character that nobody sees, as for a cell.
Private Function MLSIM_IsProblem(ByVal result As Variant) As Boolean
    If VarType(result) = vbString Then MLSIM_IsProblem = (Left$(result, 1) = ChrW$(8203))
End Function

Private Sub MLSIM_Say(ByVal sentence As String, ByVal icon As Long)
    MsgBox sentence, icon, "MLSIM"
End Sub
