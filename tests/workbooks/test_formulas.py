from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.package import Table


@pytest.mark.parametrize(
    "name",
    [
        "MLSIM_KV_CACHE", "MLSIM.KV_CACHE", "mlsim_kv_cache", "_xldudf_MLSIM_KV_CACHE", "_xll.MLSIM_KV_CACHE",
        "[1]!MLSIM_KV_CACHE", "_xlfn.MLSIM_KV_CACHE", "_xludf.MLSIM.KV.CACHE", "'C:\\a b\\mlsim.xlam'!MLSIM_KV_CACHE(",
    ],
)  # fmt: skip
def test_spellings_of_a_name(name: str) -> None:
    assert fx.normalise(name) == "MLSIM_KV_CACHE"


def test_other_names() -> None:
    assert fx.normalise("_xlfn._xlws.SORT(") == "SORT"
    assert fx.normalise("_xlfn.STDEV.S") == "STDEV.S"
    assert fx.normalise("mlsimple") == "MLSIMPLE"


def test_functions_are_listed_once_in_order() -> None:
    formula = '=IF(SUM(A1)>1,_xlfn.XLOOKUP(1,A:A,B:B),"TEXT(")+sum(LOG10(2))+MLSIM.X(1)'
    assert fx.functions(formula) == ["IF", "SUM", "XLOOKUP", "LOG10", "MLSIM_X"]


def test_calls_and_their_arguments() -> None:
    formula = """=1+MLSIM_A("x,)(",{1,2;3,4},MLSIM.B(A1,'it''s, (a)'!B2),,T1[[#All],[a,b]])*MLSIM_C()"""
    found = fx.calls(formula)
    assert [(c.name, c.args) for c in found] == [
        ("MLSIM_A", ['"x,)("', "{1,2;3,4}", "MLSIM.B(A1,'it''s, (a)'!B2)", "", "T1[[#All],[a,b]]"]),
        ("MLSIM_B", ["A1", "'it''s, (a)'!B2"]),
        ("MLSIM_C", []),
    ]
    assert formula[found[0].start : found[0].end].endswith("[a,b]])")
    assert fx.calls("=[1]!MLSIM_A(1)")[0].start == 1


def test_unbalanced_parentheses() -> None:
    with pytest.raises(fx.FormulaError, match="unbalanced"):
        fx.calls("=MLSIM_A(1")


@pytest.mark.parametrize(
    ("formula", "form", "refs"),
    [
        ("A1+$B$2", "\x01+\x01", ["A1", "$B$2"]),
        ("LOG10(A1)+SUM(A:B,1:2)", "LOG10(\x01)+SUM(\x02,\x03)", ["A1", "A:B", "1:2"]),
        ("\"A1\"&'A1'!B2&T1[A1]", "\"A1\"&'A1'!\x01&T1[A1]", ["B2"]),
        ("Data!A1:B2", "Data!\x01:\x01", ["A1", "B2"]),
        ("1E9+A1_x+x.A1+AB12C", "1E9+A1_x+x.A1+AB12C", []),
        ("1.5E-3*TAX2024", "1.5E-3*\x01", ["TAX2024"]),
    ],
)
def test_shapes(formula: str, form: str, refs: list[str]) -> None:
    assert fx.shape(formula) == (form, refs)


def test_shift_moves_only_relative_parts() -> None:
    assert [fx.shift(r, 2, 1) for r in ("A1", "$A1", "A$1", "$A$1", "A:C", "$2:5", "Z9")] == [
        "B3", "$A3", "B$1", "$A$1", "B:D", "$2:7", "AA11",
    ]  # fmt: skip
    with pytest.raises(fx.FormulaError, match="falls off the sheet"):
        fx.shift("A1", -1, 0)


@given(st.text(alphabet="A1$:!'\"()[],;{}+ .#_xMLSIM|", max_size=40))
def test_tokens_join_to_the_formula(formula: str) -> None:
    assert "".join(t.text for t in fx.tokens(formula)) == formula


TABLES = {"t1": Table("T1", "S p", 2, 2, 6, 4, 1, 1, ["n", "my val", "a]b'c"])}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("t1[n]", "'S p'!$B$3:$B$5"),
        ("T1[#All]", "'S p'!$B$2:$D$6"),
        ("T1[[#Headers],[my val]]", "'S p'!$C$2"),
        ("T1[[#Totals],[n]:[my val]]", "'S p'!$B$6:$C$6"),
        ("T1[[#This Row],[n]]", "'S p'!$B4"),
        ("T1[@n]", "'S p'!$B4"),
        ("[@[my val]]", "'S p'!$C4"),
        ("T1[@]", "'S p'!$B4:$D4"),
        ("T1[a']b''c]", "'S p'!$D$3:$D$5"),
        ("T1[[n]:[my val]]", "'S p'!$B$3:$C$5"),
        ("T1[[#Headers],[#Data],[n]]", "'S p'!$B$2:$B$5"),
        ('"T1[n]"', '"T1[n]"'),
    ],
)
def test_table_references(text: str, result: str) -> None:
    assert fx.resolve_tables(f"SUM({text})", TABLES, "S p", 4, 3) == f"SUM({result})"


@pytest.mark.parametrize(("text", "words"), [("T2[n]", "no such table"), ("T1[zz]", "no column 'zz'")])
def test_wrong_table_references(text: str, words: str) -> None:
    with pytest.raises(fx.FormulaError, match=words):
        fx.resolve_tables(text, TABLES, "S p", 4, 3)


def plan(formula: str, names: dict[tuple[str, str], str] | None = None) -> fx.Plan:
    form, _ = fx.shape(formula)
    return fx.compile_shape(form, names or {}, "s", frozenset({"s", "data"}), ("1.5", "1"), False)


def test_plan_of_a_whole_call() -> None:
    made = plan(' MLSIM_X(A1,-2,"a",,Data!A1:B2,MLSIM_Y(A1),A1*2) ')
    assert made.whole
    inner, outer = made.calls
    assert (inner.name, inner.depth, outer.depth) == ("MLSIM_Y", 0, 1)
    assert [type(a).__name__ for a in outer.args] == [
        "Area", "Constant", "Constant", "Constant", "Area", "Nested", "Expression",
    ]  # fmt: skip
    assert outer.args[4] == fx.Area("data", 1, 2, "ref")


def test_names_are_put_in_place() -> None:
    made = plan("MLSIM_X(rate,block,x)", {("", "rate"): "0.5", ("s", "block"): "Data!$A$1:$A$3", ("", "x"): "rate+1"})
    assert made.calls[0].args[:2] == (fx.Constant(0.5), fx.Area("data", "$A$1", "$A$3", "ref"))
    with pytest.raises(fx.FormulaError, match="defined by itself"):
        plan("a", {("", "a"): "a+1"})
    moving = plan("a", {("", "a"): "Data!A1"})
    assert "moves with the cell" in moving.limit
    assert moving.dynamic


def test_let_variables_stay_inside_an_argument() -> None:
    assert plan("MLSIM_X(_xlfn.LET(_xlpm.x,1,_xlpm.x))").calls
    assert "LET or LAMBDA" in plan("_xlfn.LET(_xlpm.x,1,MLSIM_X(_xlpm.x))").limit
    assert "LET or LAMBDA" in plan("_xlfn.LET(_xlpm.x,1,MLSIM_X(_xlfn.LET(_xlpm.y,_xlpm.x,_xlpm.y)))").limit
