"""Does the embedded engine work out every spreadsheet function as LibreOffice and Excel do?

Calls of every function that both know are compared with LibreOffice; where it differs from Excel's documentation, Excel's
value is stated. What LibreOffice lacks is compared with Excel's documentation. What the engine gets wrong has to be left
alone: a formula that is worked out and is none of these fails the test.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fidelity.office import running
from openpyxl.utils import get_column_letter

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.package import Err, Value, open_package, read_workbook, scan_sheet
from mlsim_workbooks.recalc import recalculate_bytes
from mlsim_workbooks.recalc.external import External
from mlsim_workbooks.recalc.libreoffice import LibreOffice
from mlsim_workbooks.recalc.worked import Engine

GRID: dict[str, list[Any]] = {
    "A": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3],
    "B": [10, "20", True, None, -5, "abc", 0.5, "5%", "1/2/2020", None],
    "C": ['=1/0', '=NA()', '=""', '  two  spaces ', 'two words'],
    "D": [1, 2, 2, 3, 5, 8, 13, 21, 34, 55],
    "E": ["apple", "Banana", "cherry", "a*b", "a?b", "~x", "Apple", "10", "TRUE", "banana"],
    "F": ["ant", "bee", "cat", "cat", "dog", "eel", "fox", "gnu", "hen", "pig"],
    "G": [43831, 43890, 43891, 44196, 44197, 44255, 45351, 36526, 43831.75, 60],
    "H": [0.1, 0.2, 0.3, 0.15, 0.25, -100, 30, 40, 50, 60],
    "J": ["Name", "ann", "bob", "cid", "Ann", "dan"],
    "K": ["Qty", 3, 5, None, 7, 2],
    "L": ["Price", 1.5, 2.5, 3.5, 4.5, -1],
    "N": ["Name", "ann", "bob", "Name", "cid", "", "Name", "zed"],
    "O": ["Qty", ">2"],
    "P": ["Qty", "<>3"],
    "Q": ["x", 0, None, -1, True],
    "T": [1, 2, 4, 8, 16, 32],
    "U": ["ant", "bee", "cat", "dog", "elk", "fox"],
}  # fmt: skip
"""The cells that the formulas read, from row 1 on."""

FIRST = 101
"""The row of the first formula: below the data, so that a range in place of a value is an error."""

PREFIXED = frozenset(
    [
        "ACOT",
        "ACOTH",
        "AGGREGATE",
        "ARABIC",
        "ARRAYTOTEXT",
        "BAHTTEXT",
        "BASE",
        "BETA.DIST",
        "BETA.INV",
        "BINOM.DIST",
        "BINOM.DIST.RANGE",
        "BINOM.INV",
        "BITAND",
        "BITLSHIFT",
        "BITOR",
        "BITRSHIFT",
        "BITXOR",
        "BYCOL",
        "BYROW",
        "CEILING.MATH",
        "CEILING.PRECISE",
        "CHISQ.DIST",
        "CHISQ.DIST.RT",
        "CHISQ.INV",
        "CHISQ.INV.RT",
        "CHISQ.TEST",
        "CHOOSECOLS",
        "CHOOSEROWS",
        "COMBINA",
        "CONCAT",
        "CONFIDENCE.NORM",
        "CONFIDENCE.T",
        "COT",
        "COTH",
        "COVARIANCE.P",
        "COVARIANCE.S",
        "CSC",
        "CSCH",
        "DAYS",
        "DECIMAL",
        "DROP",
        "ENCODEURL",
        "ERF.PRECISE",
        "ERFC.PRECISE",
        "EXPAND",
        "EXPON.DIST",
        "F.DIST",
        "F.DIST.RT",
        "F.INV",
        "F.INV.RT",
        "F.TEST",
        "FLOOR.MATH",
        "FLOOR.PRECISE",
        "FORECAST.ETS",
        "FORECAST.ETS.CONFINT",
        "FORECAST.ETS.SEASONALITY",
        "FORECAST.ETS.STAT",
        "FORECAST.LINEAR",
        "FORMULATEXT",
        "GAMMA",
        "GAMMA.DIST",
        "GAMMA.INV",
        "GAMMALN.PRECISE",
        "GAUSS",
        "HSTACK",
        "HYPGEOM.DIST",
        "IFNA",
        "IFS",
        "ISFORMULA",
        "ISOMITTED",
        "ISOWEEKNUM",
        "LAMBDA",
        "LET",
        "LOGNORM.DIST",
        "LOGNORM.INV",
        "MAKEARRAY",
        "MAP",
        "MAXIFS",
        "MINIFS",
        "MODE.MULT",
        "MODE.SNGL",
        "MUNIT",
        "NEGBINOM.DIST",
        "NORM.DIST",
        "NORM.INV",
        "NORM.S.DIST",
        "NORM.S.INV",
        "NUMBERVALUE",
        "PDURATION",
        "PERCENTILE.EXC",
        "PERCENTILE.INC",
        "PERCENTOF",
        "PERCENTRANK.EXC",
        "PERCENTRANK.INC",
        "PERMUTATIONA",
        "PHI",
        "POISSON.DIST",
        "QUARTILE.EXC",
        "QUARTILE.INC",
        "RANK.AVG",
        "RANK.EQ",
        "REDUCE",
        "REGEXEXTRACT",
        "REGEXREPLACE",
        "REGEXTEST",
        "RRI",
        "SCAN",
        "SEC",
        "SECH",
        "SEQUENCE",
        "SHEET",
        "SHEETS",
        "SKEW.P",
        "SORTBY",
        "STDEV.P",
        "STDEV.S",
        "SWITCH",
        "T.DIST",
        "T.DIST.2T",
        "T.DIST.RT",
        "T.INV",
        "T.INV.2T",
        "T.TEST",
        "TAKE",
        "TEXTAFTER",
        "TEXTBEFORE",
        "TEXTJOIN",
        "TEXTSPLIT",
        "TOCOL",
        "TOROW",
        "TRIMRANGE",
        "UNICHAR",
        "UNICODE",
        "UNIQUE",
        "VALUETOTEXT",
        "VAR.P",
        "VAR.S",
        "VSTACK",
        "WEIBULL.DIST",
        "WRAPCOLS",
        "WRAPROWS",
        "XLOOKUP",
        "XMATCH",
        "XOR",
        "Z.TEST",
    ]
)
"""Functions that files write with a prefix."""

CALLS = r'''
ABS: -1.5 | A1 | -0
ACCRINT: DATE(2008,3,1),DATE(2008,8,31),DATE(2008,5,1),0.1,1000,2,0
ACCRINTM: DATE(2008,4,1),DATE(2008,6,15),0.1,1000,3
ACOS: 0.5 | 2 | -1
ACOSH: 10 | 0.5 | 1
ACOT: 2 | 0 | -2
ACOTH: 6 | 0.5 | 1
ADDRESS: 2,3 | 2,3,2 | 2,3,2,FALSE | 2,3,1,FALSE,"[Book1]Sheet1" | 2,3,1,TRUE,"My Sheet" | 0,1 | 2,30,4
AMORDEGRC: 2400,DATE(2008,8,19),DATE(2008,12,31),300,1,0.15,1
AMORLINC: 2400,DATE(2008,8,19),DATE(2008,12,31),300,1,0.15,1
AND: TRUE,FALSE | A1:A10 | E1:E3 | B1:B5 | 1,2,3 | B4 | B4,TRUE | A1>2,D1<5 | E9
ARABIC: "MCMXII" | "" | "mmxxvi" | "IIII" | "ABC" | "-XL"
AREAS: A1:A5
ASIN: 0.5 | 2
ASINH: -2.5 | 10
ATAN: 1 | -1E10
ATAN2: 1,1 | -1,-1 | 0,0 | 0,-1
ATANH: 0.5 | 1 | 2
AVEDEV: A1:A10 | 4,5,6,7,5,4,3 | B4
AVERAGE: A1:A10 | B1:B10 | B4 | 1,TRUE,"3" | E1:E3 | C1:C2 | B3 | 1,"x" | 1,,3
AVERAGEA: A1:A10 | B1:B10 | B4 | E1:E3 | 1,TRUE
AVERAGEIF: A1:A10,">3" | A1:A10,"<>3" | A1:A10,5,D1:D10 | E1:E10,"a*",A1:A10 | A1:A10,">100" | B1:B10,"=" | B1:B10,"<>" |
    A1:A10,">3",D1
AVERAGEIFS: A1:A10,D1:D10,">2" | A1:A10,D1:D10,">2",E1:E10,"*a*" | A1:A10,D1:D10,">1000"
BASE: 7,2 | 255,16 | 15,2,10 | 7,1 | -1,2 | 7.9,2.9 | 35,36 | 4E15,16
BESSELI: 1.5,1 | 0,0 | 2.5,3 | 10,2.9
BESSELJ: 1.9,2 | 0,0 | 25,1 | -1.9,1 | 1.9,-1
BESSELK: 1.5,1 | 0,1 | 3,2
BESSELY: 2.5,1 | 0,1 | 20,3
BETADIST: 2,8,10,1,3 | 0.4,4,5 | 0.4,0,5
BETA.DIST: 2,8,10,TRUE,1,3 | 2,8,10,FALSE,1,3 | 0.4,4,5,TRUE | 1.4,4,5,TRUE
BETAINV: 0.685470581,8,10,1,3 | 0.3,2,3 | 0,2,3 | 1,2,3
BETA.INV: 0.685470581,8,10,1,3 | 0.3,2,3
BIN2DEC: 1100100 | 1111111111 | "101" | 2 | "" | 12345678901 | "1111111111"
BIN2HEX: 11111011,4 | 1110 | 1111111111 | 1110,0 | 11111011,1
BIN2OCT: 1001,3 | 1100100 | 1111111111
BINOMDIST: 6,10,0.5,FALSE | 6,10,0.5,TRUE | 6.9,10.9,0.5,FALSE | 11,10,0.5,FALSE | 0,10,0,FALSE | 0,0,0.5,TRUE
BINOM.DIST: 6,10,0.5,FALSE | 6,10,0.5,TRUE | -1,10,0.5,TRUE | 500,1000,0.5,TRUE
BINOM.INV: 6,0.5,0.75 | 100,0.3,0.01 | 6,1,0.75 | 6,0,0.75
BITAND: 13,25 | -1,2 | 1.5,1 | 2^48,1 | 2^47,2^47
BITLSHIFT: 4,2 | 4,-1 | 1,53 | 1,47
BITOR: 23,10 | 0,0
BITRSHIFT: 13,2 | 13,-2 | 13,54 | 13,60
BITXOR: 5,3 | 1,1
CEILING: 2.5,1 | -2.5,-2 | -2.5,2 | 1.5,0.1 | 0.234,0.01 | 2.5,-2 | 2.5,0 | 0,0 | 0,2
CEILING.MATH: 24.3,5 | 6.7 | -8.1,2 | -5.5,2,-1 | -5.5,2,1 | 7,0 | -6.7 | 5,-2
CEILING.PRECISE: 4.3 | -4.3 | 4.3,2 | 4.3,-2 | -4.3,2 | 4.3,0
ISO.CEILING: 4.3 | -4.3 | 4.3,2 | 4.3,-2 | -4.3,2
CELL: "row",A3 | "col",C2 | "address",B2 | "type",A1 | "type",E1 | "type",B4
CHAR: 65 | 10 | 0 | 256 | 65.9 | 128 | 169 | 255
CHIDIST: 18.307,10 | 0,1 | -1,2 | 18.307,10.9 | 18.307,0
CHIINV: 0.050001,10 | 1,1 | 0.5,2 | 0,2
CHITEST: A1:A3,D1:D3
CHISQ.DIST: 0.5,1,TRUE | 2,3,FALSE | 0,1,TRUE
CHISQ.DIST.RT: 18.307,10 | 3,2
CHISQ.INV: 0.93,1 | 0.6,2 | 0,3
CHISQ.INV.RT: 0.050001,10
CHISQ.TEST: A1:A3,D1:D3 | A1:A10,D1:D10
CHOOSE: 2,"a","b","c" | 0,1 | 4,1,2,3 | 1.9,"a","b" | "2","a","b" | TRUE,"a","b" | 1,,2 | 2,1/0,5
CLEAN: "a"&CHAR(9)&"b" | CHAR(10)&"x" | A1
CODE: "A" | "abc" | "" | A1 | "€" | "é"
COLUMN: C5 | B1:D1 | XFD1
COLUMNS: C1:E4 | {1,2,3;4,5,6} | A:C | A1
COMBIN: 8,2 | 8,0 | 2,8 | 8.9,2.9 | -1,1 | 0,0 | 60,30
COMBINA: 4,3 | 10,3 | 0,3 | 3,0
COMPLEX: 3,4 | 3,4,"j" | 0,1 | 1,0 | 0,0 | 3,-1 | 1,1,"k" | 1.5,-2.5 | 1,1,"J"
CONCAT: A1:A3 | "a",1,TRUE | E1:E3,B3 | B4 | 1/3 | B1:B5
CONCATENATE: "a",1,TRUE | A1,E1 | 1/3,"x" | B4,"x" | 0.1+0.2,""
CONFIDENCE: 0.05,2.5,50 | 0.05,0,50 | 0.05,2.5,50.9 | 1,1,1
CONFIDENCE.NORM: 0.05,2.5,50
CONFIDENCE.T: 0.05,1,50 | 0.05,1,1 | 0.05,1,2
CONVERT: 1,"lbm","kg" | 68,"F","C" | 2.5,"ft","sec" | 1,"mi","km" | 1,"h","hr" | 1,"GB","B" | 1,"Gbyte","byte" |
    1,"Gibyte","bit" | 1,"kW","HP" | 1,"J","cal" | 1,"day","hr" | 1,"yr","day" | 100,"C","K" | 1,"kWh","J" |
    1,"l","gal" | 1,"m","M" | 1,"ft^2","m^2" | 1,"in","cm" | 1,"Nmi","m" | 1,"Pa","atm" | 1,"T","ga" | 1,"mph","m/s" |
    1,"e","J" | 1,"Wh","kJ" | 1,"ha","m2" | 1,"mn","sec" | 1,"kn","mph" | 1,"m","x"
CORREL: A1:A10,D1:D10 | A1:A3,D1:D4 | {1,2,3},{2,4,6} | {1,1,1},{1,2,3} | B1:B10,A1:A10
COS: 1 | PI()
COSH: 4 | 1000
COT: 30 | 0
COTH: 2 | 0
COUNT: A1:A10 | B1:B10 | E1:E10 | 1,"2",TRUE,"x" | B4 | C1:C3 | ,1 | "1/2/2020" | G1:G3
COUNTA: A1:A10 | B1:B10 | C1:C5 | "",1 | B4
COUNTBLANK: B1:B10 | C1:C5 | A1:A10 | B4
COUNTIF: A1:A10,5 | A1:A10,">=2" | A1:A10,"<>3" | A1:A10,"=3" | A1:A10,"3" | B1:B10,"=" | B1:B10,"<>" | B1:B10,"" |
    B1:B10,20 | B1:B10,"20" | B1:B10,TRUE | B1:B10,"TRUE" | E1:E10,TRUE | E1:E10,"apple" | E1:E10,"a*" |
    E1:E10,"a~*b" | E1:E10,"a?b" | E1:E10,"a~?b" | E1:E10,"~~x" | E1:E10,"~x" | E1:E10,"*" | E1:E10,"?*" |
    E1:E10,"<>a*" | E1:E10,">b" | E1:E10,"<=banana" | E1:E10,10 | E1:E10,"10" | B1:B10,"5%" | B1:B10,0.05 |
    B1:B10,43832 | G1:G10,">1/1/2020" | G1:G10,DATE(2020,2,29) | G1:G10,">="&DATE(2020,2,29) | G1:G10,"2020-02-29" |
    A1:A10,B4 | B1:B10,B4 | A1:A10,"> 3" | A1:A10,">3.5" | A1:A10,"<1E1" | C1:C5,"#DIV/0!" | C1:C5,"#N/A" | C1:C5,C1 |
    C1:C5,"" | C1:C5,"<>" | B1:B10,"<0" | B1:B10,">abb" | A1:A10,"*" | A1:A10,"3*" | E1:E10,"=apple" | E1:E10,"=a*" |
    E1:E10,"<>" | E1:E10,"APPLE" | C1:C5,"* *" | D1:D10,"<="&A1 | Q1:Q5,"<>x" | Q1:Q5,"=0" | Q1:Q5,"<1" | A1:A10,{3} |
    A1:A10,"=" | A1:A10,"<>" | A1:A10,"5 " | A1:A10,"$5" | A1:A10,"500%" | E1:E7,"<>a*" | E1:E7,"<>apple" |
    E1:E7,"<>"&E1
COUNTIFS: A1:A10,">2",D1:D10,"<20" | E1:E10,"a*",A1:A10,">1" | A1:A10,">2",D1:D5,"<20" | B1:B10,"<>",A1:A10,">0" |
    E1:E10,"<>apple" | B1:B10,"<>abc" | B1:B10,"<>"&B4
COUPDAYBS: DATE(2011,1,25),DATE(2011,11,15),2,1 | DATE(2011,1,25),DATE(2011,11,15),2
COUPDAYS: DATE(2011,1,25),DATE(2011,11,15),2,1 | DATE(2011,1,25),DATE(2011,11,15),4,0 |
    DATE(2011,1,25),DATE(2011,11,15),2,3
COUPDAYSNC: DATE(2011,1,25),DATE(2011,11,15),2,1 | DATE(2011,1,25),DATE(2011,11,15),2
COUPNCD: DATE(2011,1,25),DATE(2011,11,15),2,1 | DATE(2011,2,28),DATE(2012,8,31),2
COUPNUM: DATE(2007,1,25),DATE(2008,11,15),2,1 | DATE(2007,1,25),DATE(2008,11,15),3
COUPPCD: DATE(2011,1,25),DATE(2011,11,15),2,1 | DATE(2011,3,1),DATE(2012,8,31),2
COVAR: A1:A10,D1:D10 | A1:A3,D1:D4
COVARIANCE.P: A1:A10,D1:D10
COVARIANCE.S: A1:A10,D1:D10 | A1,D1
CRITBINOM: 6,0.5,0.75
CSC: 15 | 0
CSCH: 1.5 | 0
CUMIPMT: 0.09/12,360,125000,13,24,0 | 0.09/12,360,125000,1,1,0 | 0.09/12,360,125000,1,1,1 | 0,360,1000,1,1,0
CUMPRINC: 0.09/12,360,125000,13,24,0 | 0.09/12,360,125000,1,1,0 | 0.09/12,360,125000,1,1,1
DATE: 2020,1,1 | 2020,13,1 | 2020,0,1 | 2020,-1,1 | 2020,1,0 | 2020,1,-5 | 2020,2,30 | 108,1,2 | 0,1,1 | 1900,1,1 |
    1900,2,28 | 1900,2,29 | 1900,3,1 | 1899,12,31 | 9999,12,31 | 10000,1,1 | -1,1,1 | 2020.9,1.9,1.9 | 2024,2,29 |
    2023,2,29
DATEDIF: DATE(2001,1,1),DATE(2003,1,1),"Y" | DATE(2001,6,1),DATE(2002,8,15),"D" | DATE(2001,6,1),DATE(2002,8,15),"YD" |
    DATE(2001,6,1),DATE(2002,8,15),"M" | DATE(2001,6,1),DATE(2002,8,15),"YM" | DATE(2001,6,1),DATE(2002,8,15),"MD" |
    DATE(2003,1,1),DATE(2001,1,1),"Y" | DATE(2020,2,29),DATE(2021,2,28),"y" | DATE(2020,1,31),DATE(2020,3,1),"m" |
    DATE(2001,1,1),DATE(2003,1,1),"X" | DATE(2020,12,31),DATE(2021,1,1),"YM"
DATEVALUE: "8/22/2011" | "22-May-2011" | "2011/02/23" | "2011-02-23" | "5-Jul-2011" | "2020-02-30" | "abc" |
    "January 5, 2020" | "1/2/20" | "1/2/45" | "2020-01-01 12:00" | A1 | "12:00"
DAVERAGE: J1:L6,"Price",N1:N2 | J1:L6,2,N1:O2 | J1:L6,3,N1:N3
DAY: DATE(2020,2,29) | 0 | 1 | 60 | 61 | -1 | "2020-02-29" | 43831.99 | 2958465 | 2958466 | "x" | B4
DAYS: DATE(2021,3,15),DATE(2021,2,1) | "2021-03-15","2021-02-01" | 10.9,1 | 1,10
DAYS360: DATE(2011,1,30),DATE(2011,2,1) | DATE(2011,1,1),DATE(2011,12,31) | DATE(2011,1,31),DATE(2011,3,31),TRUE |
    DATE(2011,2,28),DATE(2011,3,31) | DATE(2012,2,29),DATE(2012,3,31),FALSE | DATE(2011,3,31),DATE(2011,1,31) |
    DATE(2011,1,31),DATE(2011,2,28)
DB: 1000000,100000,6,1,7 | 1000000,100000,6,2,7 | 1000000,100000,6,7,7 | 1000000,100000,6,1 | 1000000,0,6,1
DCOUNT: J1:L6,"Qty",N1:N2 | J1:L6,,N1:N2 | J1:L6,"Qty",N1:O2
DCOUNTA: J1:L6,"Name",N1:N2 | J1:L6,"Qty",N1:N2
DDB: 2400,300,3650,1 | 2400,300,120,1,2 | 2400,300,10,2,1.5 | 2400,300,10,10 | 2400,300,10,0
DEC2BIN: 9,4 | -100 | 511 | 512 | -512 | 9.9 | 9,3 | "9" | 0 | 9,10
DEC2HEX: 100,4 | -54 | 28 | 549755813887 | 549755813888 | 64,1
DEC2OCT: 58,3 | -100 | 536870911 | 536870912
DECIMAL: "FF",16 | "111",2 | "zap",36 | 11,2 | "G",16 | "" ,2 | "0xFF",16
DEGREES: PI() | 1
DELTA: 5,4 | 5,5 | 0.5,0 | 0
DEVSQ: A1:A10 | 4,5,8,7,11,4,3 | B1:B10
DGET: J1:L6,"Price",N4:N5 | J1:L6,"Price",N1:N2 | J1:L6,"Price",N7:N8
DISC: DATE(2018,7,1),DATE(2048,1,1),97.975,100,1 | DATE(2018,7,1),DATE(2048,1,1),97.975,100,0
DMAX: J1:L6,"Price",N1:N2 | J1:L6,"Price",N7:N8
DMIN: J1:L6,"Price",N1:O2 | J1:L6,"Price",N7:N8
DOLLAR: 1234.567,2 | 1234.567,-2 | -1234.567,-2 | -0.123,4 | 99.888 | 1234567 | 0.5,0
DOLLARDE: 1.02,16 | 1.1,32 | 1.1,0.5 | 1.1,-1 | -1.02,16
DOLLARFR: 1.125,16 | 1.125,32 | -1.125,16 | 1.5,0
DPRODUCT: J1:L6,"Qty",N1:N2 | J1:L6,"Price",N7:N8
DSTDEV: J1:L6,"Qty",N1:N2
DSTDEVP: J1:L6,"Qty",N1:N2
DSUM: J1:L6,"Price",N1:N2 | J1:L6,"Price",N1:O2 | J1:L6,"Price",N7:N8 | J1:L6,"price",N1:N3 | J1:L6,"Price",P1:P2 |
    J1:L6,"None",N1:N2
DURATION: DATE(2018,7,1),DATE(2048,1,1),0.08,0.09,2,1 | DATE(2018,7,1),DATE(2048,1,1),0.08,0.09,1
DVAR: J1:L6,"Qty",N1:N2
DVARP: J1:L6,"Qty",N1:N2
EDATE: DATE(2011,1,15),1 | DATE(2011,1,31),1 | DATE(2012,1,31),1 | DATE(2011,1,15),-1 | DATE(2011,1,15),2.9 |
    DATE(2020,2,29),12 | DATE(2020,2,29),-12 | 0,0 | 1,-1 | DATE(2011,1,15)+0.75,1 | "2011-01-15",1
EFFECT: 0.0525,4 | 0.0525,4.9 | 0,4 | 0.05,0.5 | 1E-10,12
ENCODEURL: "a b&c" | A1
EOMONTH: DATE(2011,1,1),1 | DATE(2011,1,1),-3 | DATE(2012,1,31),1 | DATE(2011,1,1),1.9 | 0,0 | DATE(1900,1,15),1
ERF: 0.745 | 1 | 0,1 | -1 | 1,2 | 6
ERF.PRECISE: 0.745 | -1 | 0
ERFC: 1 | 0 | -1 | 6 | 0.1
ERFC.PRECISE: 1 | 3
ERROR.TYPE: C1 | C2 | 1 | #REF! | #NULL! | #NUM! | #VALUE! | #NAME?
EVEN: 1.5 | 3 | 2 | -1 | 0 | -1.5 | 0.1
EXACT: "a","a" | "A","a" | 1,"1" | B4,"" | 1,1.0 | B3,TRUE
EXP: 1 | 2 | 1000 | -1000 | 0
EXPONDIST: 0.2,10,TRUE | 0.2,10,FALSE
EXPON.DIST: 0.2,10,TRUE | 0.2,10,FALSE | -1,10,TRUE | 0.2,0,TRUE
FACT: 5 | 1.9 | 0 | -1 | 1 | 170 | 171 | B4
FACTDOUBLE: 6 | 7 | 0 | -2 | 1.9 | 300
FDIST: 15.20686486,6,4 | 1,1,1
F.DIST: 15.2069,6,4,TRUE | 15.2069,6,4,FALSE
F.DIST.RT: 15.20686486,6,4 | 15.2,6.9,4.9
FIND: "M","Miriam McGovern" | "m","Miriam McGovern" | "M","Miriam McGovern",3 | "","abc" | "z","abc" | "a","abc",0 |
    "a","abc",5 | "","abc",4 | "","" | 1,123 | "*","a*b"
FINDB: "b","abc"
FINV: 0.01,6,4 | 1,6,4
F.INV: 0.01,6,4 | 0.5,3,9
F.INV.RT: 0.01,6,4
FISHER: 0.75 | 1 | -0.5
FISHERINV: 0.972955 | 0
FIXED: 1234.567,1 | 1234.567,-1 | -1234.567,-1,TRUE | 44.332 | 1234567.891 | 0.5,0 | 1234.5,0,TRUE | 1E10,3
FLOOR: 3.7,2 | -2.5,-2 | 2.5,-2 | 1.58,0.1 | 0.234,0.01 | -2.5,2 | 2.5,0 | 0,0 | -8.1,2
FLOOR.MATH: 24.3,5 | 6.7 | -8.1,2 | -5.5,2,-1 | 7,0 | -5.5,2,1
FLOOR.PRECISE: -3.2,-1 | 3.2,1 | -3.2,1 | 3.2 | 3.2,0
FORECAST: 30,A1:A10,D1:D10 | 30,{6,7,9,15,21},{20,28,31,38,40} | 30,{1,2},{3,3}
FORECAST.LINEAR: 30,A1:A10,D1:D10
FREQUENCY: A1:A10,{2,5}
F.TEST: A1:A10,D1:D10 | {6,7,9,15,21},{20,28,31,38,40}
FTEST: A1:A10,D1:D10
FV: 0.06/12,10,-200,-500,1 | 0.01,12,-1000 | 0,12,-100 | 0.01,12,,-1000 | 0.06/12,10,-200,-500,TRUE | 0.05,0,100
FVSCHEDULE: 1,{0.09,0.11,0.1} | 100,H1:H3 | 1,B4
GAMMA: 2.5 | -3.75 | 0 | -2 | 171 | 172 | 1
GAMMA.DIST: 10.00001131,9,2,FALSE | 10.00001131,9,2,TRUE | 0,1,2,FALSE | 0,0.5,1,TRUE
GAMMADIST: 10.00001131,9,2,FALSE | 10.00001131,9,2,TRUE
GAMMAINV: 0.068094,9,2 | 0,9,2
GAMMA.INV: 0.068094,9,2 | 0.5,0.5,1
GAMMALN: 4 | 4.5 | 0 | -1 | 100
GAMMALN.PRECISE: 4 | 0.1
GAUSS: 2 | 0 | -1
GCD: 5,2 | 24,36 | 7,1 | 5,0 | 0,0 | -5,2 | 24.9,36.9 | A1:A10 | B4 | 2^53,2
GEOMEAN: 4,5,8,7,11,4,3 | A1:A10 | B1:B10 | 0,1
GESTEP: 5,4 | 5,5 | -4,-5 | -1 | 0
GROWTH: {1,2,4,8},{1,2,3,4},5 | D1:D10,A1:A10,7 | D1:D10
HARMEAN: 4,5,8,7,11,4,3 | A1:A10 | 0,1
HEX2BIN: "F",8 | "B7" | "FFFFFFFFFF" | "1FF" | "200" | "FFFFFFFE00"
HEX2DEC: "A5" | "FFFFFFFF5B" | "3DA408B9" | "g" | "" | 10 | "7FFFFFFFFF" | "a5"
HEX2OCT: "F",3 | "3B4E" | "FFFFFFFF00"
HLOOKUP: "Qty",J1:L6,3,FALSE | "Qty",J1:L6,3 | 3,{1,2,3;"a","b","c";"d","e","f"},2,TRUE | 2.5,{1,2,3;"a","b","c"},2 |
    "q*",J1:L6,2,FALSE | "Qty",J1:L6,9,FALSE | "Qty",J1:L6,0,FALSE | "None",J1:L6,2,FALSE
HOUR: 0.75 | "12:30" | 43831.99 | -1 | "2020-01-01 13:45" | 0.999999 | 0.0416666666666667 | "3:45 PM"
HYPERLINK: "http://example.org" | "http://example.org","here"
HYPGEOM.DIST: 1,4,8,20,TRUE | 1,4,8,20,FALSE | 5,4,8,20,FALSE
HYPGEOMDIST: 1,4,8,20
IF: TRUE,1,2 | 0,1,2 | "TRUE",1,2 | "x",1,2 | A1>2,"y" | FALSE,1 | FALSE,1, | TRUE,,2 | B4,1,2 | C1,1,2 | TRUE,1,1/0 |
    TRUE,B4,1 | 0.1,1,2
IFERROR: 1/0,"e" | 1,"e" | C2,C1 | B4,"e" | NA(), | 1/0,B4 | A1:A3,0
IFNA: NA(),"e" | 1/0,"e" | VLOOKUP("zz",E1:F10,2,FALSE),"none" | 1,2
IFS: FALSE,1,TRUE,2 | FALSE,1 | A1>5,"a",A1>2,"b",TRUE,"c" | 1,"x" | C1,1,TRUE,2 | TRUE,1,1/0,2 | "x",1
IMABS: "5+12i" | "3+4j" | "i" | 5 | "-i" | "abc"
IMAGINARY: "3+4i" | "0-j" | 4 | "-2.5i" | "i"
IMARGUMENT: "3+4i" | "i" | -1
IMCONJUGATE: "3+4i" | "i" | 3
IMCOS: "1+i" | 1
IMCOSH: "4+3i"
IMCOT: "4+3i"
IMCSC: "4+3i"
IMCSCH: "4+3i"
IMDIV: "-238+240i","10+24i" | "1+i",0
IMEXP: "1+i" | 0
IMLN: "3+4i" | 0
IMLOG10: "3+4i"
IMLOG2: "3+4i"
IMPOWER: "2+3i",3 | "i",2 | "2+3i",-1 | "2+3i",0.5
IMPRODUCT: "3+4i","5-3i" | "1+2i",30
IMREAL: "6-9i" | "i" | 5
IMSEC: "4+3i"
IMSECH: "4+3i"
IMSIN: "4+3i"
IMSINH: "4+3i"
IMSQRT: "1+i" | -4 | "-4"
IMSUB: "13+4i","5+3i" | "1+i","1+i"
IMSUM: "3+4i","5-3i" | "1.5+i","-i" | 1,2
IMTAN: "4+3i"
INDEX: A1:A10,3 | J1:L6,2,3 | J1:L6,2,0 | A1:A10,11 | A1:A10,0 | {1,2;3,4},2,1 | {1,2,3},2 | A1:A10,-1 | J1:L6,2,4 |
    A1:A10,2.9 | J1:L1,2 | A1:A10,3,1 | A1:A10,,1 | A1:A10,3,2 | B1:B10,4
INT: 8.9 | -8.9 | 0.9999999999999999 | -0.5 | 1E20 | "5.5"
INTERCEPT: A1:A10,D1:D10 | {2,3,9},{6,5,11} | {1,2},{1,1}
INTRATE: DATE(2008,2,15),DATE(2008,5,15),1000000,1014420,2 | DATE(2008,2,15),DATE(2008,5,15),1000000,1014420
IPMT: 0.1/12,1,36,8000 | 0.1,3,3,8000 | 0.1/12,1,36,8000,0,1 | 0.1/12,37,36,8000 | 0,1,12,1000 | 0.1/12,2,36,8000,100,1
IRR: H6:H10 | {-70000,12000,15000,18000,21000,26000} | {-70000,12000,15000},-0.1 | {1,2,3} | {-100,110} | H6:H10,0.5
ISBLANK: B4 | C3 | A1 | "" | 0 | C1 | B4:B4
ISERR: C1 | C2 | A1 | #REF!
ISERROR: C1 | C2 | A1 | "#N/A"
ISEVEN: 2 | 2.5 | -1 | 0 | "x" | 1E15 | B4 | 2^53
ISFORMULA: C1 | A1
ISLOGICAL: TRUE | "TRUE" | B3 | 1
ISNA: C2 | C1 | A1
ISNONTEXT: "a" | 1 | B4 | C1
ISNUMBER: 1 | "1" | B4 | G1 | TRUE | C1
ISODD: 1 | 2.5 | -1 | -3 | 0
ISOWEEKNUM: DATE(2012,3,9) | DATE(2021,1,1) | DATE(2020,12,31) | DATE(2018,12,31) | 0 | 1
ISPMT: 0.1/12,1,36,8000000 | 0.1,1,3,8000000 | 0.1,0,3,100
ISREF: A1 | 1 | "A1"
ISTEXT: "a" | C3 | B4 | 1
KURT: A1:A10 | 3,4,5,2,3,4,5,6,4,7 | 1,2,3
LARGE: A1:A10,3 | A1:A10,11 | A1:A10,0 | A1:A10,1.5 | A1:A10,"2" | B1:B10,1 | {3,5,3},2
LCM: 5,2 | 24,36 | 0,5 | 24.9,36 | -1,2 | B4 | A1:A10
LEFT: "Sale Price",4 | "Sweden" | "abc",0 | "abc",10 | "abc",-1 | 12345,2 | TRUE,2 | B4,2 | "abc",1.9 | "é€x",2 | 1/3,4 |
    "abc",
LEFTB: "abc",2
LEN: "Phoenix, AZ" | "" | "  " | 12345 | TRUE | B4 | 1/3 | 0.1+0.2 | 1E20 | "é€" | "😀"
LENB: "abc"
LINEST: {1,9,5,7},{0,4,2,3} | A1:A10,D1:D10
LN: 86 | 0 | -1 | EXP(3)
LOG: 10 | 8,2 | 86,2.7182818 | 0 | 10,1 | 10,0 | 100, | -1,10
LOG10: 86 | 1000 | 0 | 1E5
LOGEST: {1,2,4,8},{1,2,3,4}
LOGINV: 0.039084,3.5,1.2
LOGNORM.DIST: 4,3.5,1.2,TRUE | 4,3.5,1.2,FALSE
LOGNORMDIST: 4,3.5,1.2
LOGNORM.INV: 0.039084,3.5,1.2 | 0,1,1
LOOKUP: 5,D1:D10,E1:E10 | 4,D1:D10 | 0,D1:D10 | 100,D1:D10 | "cat",F1:F10 | "cow",F1:F10,A1:A10 | 2,1/(D1:D10<6),D1:D10 |
    2,{1,2,3},{"a","b","c"} | "Qty",J1:L6 | 9.99E+307,A1:A10 | "zzz",B1:B10 | 2,D1:D10,A1:A10 | 2,D1:D10,A1:A5 |
    5,T1:T6,U1:U6 | 5,T1:T6 | 100,T1:T6,U1:U6 | "cow",U1:U6,T1:T6 | 0,T1:T6 | B6,T1:T6
LOWER: "E. E. CUMMINGS" | A1 | TRUE | "ÀÉ" | "ẞ"
MATCH: 5,A1:A10,0 | 4,D1:D10 | 4,D1:D10,1 | 0,D1:D10 | 2,D1:D10,0 | 2,D1:D10,1 | 5,A1:A10,-1 | "apple",E1:E10,0 |
    "APPLE",E1:E10,0 | "b*",E1:E10,0 | "a~*b",E1:E10,0 | "?pple",E1:E10,0 | "a?b",E1:E10,0 | "~~x",E1:E10,0 |
    "zz",E1:E10,0 | "20",B1:B10,0 | 20,B1:B10,0 | TRUE,B1:B10,0 | 1,A1:A3, | B4,B1:B10,0 | "",C1:C5,0 |
    40,{55,34,21,5},-1 | 100,{55,34,21},-1 | "cat",F1:F10 | "dzz",F1:F10,1 | 3,{1,2,3},0 | C1,A1:A10,0 |
    2,{1,1,2,2,2,3},1 | 2,{3,2,2,1},-1 | "c*",F1:F10,1 | 5,A1:A10,1 | "10",E1:E10,0 | 10,E1:E10,0 | 5,A1:A10,FALSE |
    4,D1:D10,TRUE | "",E1:E10,0 | 4,D1:D10,2 | 5,T1:T6 | 5,T1:T6,1 | 0,T1:T6 | 100,T1:T6 | 8,T1:T6 | "cow",U1:U6 |
    "dog",U1:U6 | B2,T1:T6 | B4,T1:T6
MAX: A1:A10 | B1:B10 | 1,TRUE,"5" | E1:E10 | B4 | -1,-2 | C1:C2 | TRUE,0 | "x",1 | ,-1
MAXA: B1:B10 | E1:E10 | B3,0
MAXIFS: A1:A10,D1:D10,">2" | A1:A10,E1:E10,"a*" | A1:A10,D1:D10,">1000" | A1:A10,D1:D5,">1"
MDETERM: {1,3,8;1,3,6;1,1,1} | {1,2;2,4} | {3,6;1,1} | A1:B2
MDURATION: DATE(2008,1,1),DATE(2016,1,1),0.08,0.09,2,1 | DATE(2008,1,1),DATE(2016,1,1),0.08,0.09,4
MEDIAN: A1:A10 | 1,2,3,4,5,6 | B1:B10 | B4 | TRUE,3
MID: "Fluid Flow",1,5 | "Fluid Flow",20,5 | "abc",0,1 | "abc",2,-1 | "abc",2,0 | "abc",2,100 | 12345,2,3 | "abc",1.9,1.9 |
    TRUE,1,2 | "😀ab",2,1
MIDB: "abc",2,1
MIN: A1:A10 | B1:B10 | 1,TRUE,"0" | E1:E10 | B4 | C1:C2 | ,1
MINA: B1:B10 | E1:E10 | A1:A10
MINIFS: A1:A10,D1:D10,">2" | A1:A10,D1:D10,">1000" | A1:A10,B1:B10,""
MINUTE: 0.78125 | "12:45:30" | -1 | "12:45 PM" | 0.5208333333
MINVERSE: {4,-1;2,0} | {1,2;2,4} | {2}
MIRR: {-120000,39000,30000,21000,37000,46000},0.1,0.12 | H6:H10,0.1,0.1
MMULT: {1,3;7,2},{2,0;0,2} | {1,2},{3;4} | A1:A3,D1:D3 | B1:B2,{1,2}
MOD: 3,2 | -3,2 | 3,-2 | -3,-2 | 3,0 | 5.5,2 | 1,0.1 | 10,3.3 | 6.4,0.8
MODE: 5.6,4,4,3,2,4 | A1:A10 | 1,2,3 | E1:E3
MODE.MULT: A1:A10
MODE.SNGL: A1:A10 | 5,4,4,5
MONTH: DATE(2020,2,29) | 0 | 60 | "15-Apr-2011" | -1 | "x" | 43831.99
MROUND: 10,3 | -10,-3 | 1.3,0.2 | 5,-2 | 6.05,0.1 | 7.05,0.1 | 0,5 | 5,0 | 2.5,5 | 1.25,0.5
MULTINOMIAL: 2,3,4 | A1:A5 | 0 | -1 | 2.9,3
MUNIT: 3 | 1
N: 7 | "7" | TRUE | B4 | C2 | B3 | B2 | G1 | "x"
NA:
NEGBINOM.DIST: 10,5,0.25,TRUE | 10,5,0.25,FALSE | 10.9,5.9,0.25,FALSE
NEGBINOMDIST: 10,5,0.25
NETWORKDAYS: DATE(2012,10,1),DATE(2013,3,1) | DATE(2012,10,1),DATE(2013,3,1),DATE(2012,11,22) |
    DATE(2013,3,1),DATE(2012,10,1) | DATE(2012,10,6),DATE(2012,10,7) | DATE(2020,1,1),DATE(2020,1,31),G1:G3 | 0,5 |
    DATE(2020,1,1),DATE(2020,1,1) | "2012-10-01","2013-03-01"
NETWORKDAYS.INTL: DATE(2006,1,1),DATE(2006,1,31) | DATE(2006,2,28),DATE(2006,1,31) | DATE(2006,1,1),DATE(2006,2,1),7 |
    DATE(2006,1,1),DATE(2006,2,1),"0010001" | DATE(2006,1,1),DATE(2006,2,1),17 |
    DATE(2006,1,1),DATE(2006,2,1),"1111111" | DATE(2006,1,1),DATE(2006,2,1),8 |
    DATE(2006,1,1),DATE(2006,2,1),"001" | DATE(2006,1,1),DATE(2006,2,1),1,DATE(2006,1,2)
NOMINAL: 0.053543,4 | 0.05,0.5 | 0,4
NORM.DIST: 42,40,1.5,TRUE | 42,40,1.5,FALSE | 42,40,0,TRUE | 0,0,1,TRUE
NORMDIST: 42,40,1.5,TRUE | 42,40,1.5,FALSE
NORMINV: 0.908789,40,1.5 | 0,0,1
NORM.INV: 0.908789,40,1.5 | 0.5,0,1 | 1,0,1
NORM.S.DIST: 1.333333,TRUE | 1.333333,FALSE | -5,TRUE | 0,TRUE
NORMSDIST: 1.333333 | -8 | 8
NORM.S.INV: 0.9088 | 0.5 | 0 | 0.0001
NORMSINV: 0.9088 | 0.975
NOT: FALSE | 0 | "TRUE" | "x" | B4 | 5 | C1
NPER: 0.12/12,-100,-1000,10000,1 | 0.12/12,-100,-1000,10000 | 0,-100,1000 | 0.01,-1,1000 | 0.01,0,100
NPV: 0.1,-10000,3000,4200,6800 | 0.08,H6:H10 | 0.1,A1:A10 | 0.1,B1:B5 | -1,1,2 | 0,1,2 | 0.1,B4,100 | 0.1,,100 |
    0.1,TRUE,100
NUMBERVALUE: "2.500,27",",","." | "3.5%" | "" | "1 000" | "1,234.5" | "abc" | "5%%" | "1e3" | " 3 " | "1.2.3" | B4 |
    "2,5",","
OCT2BIN: 3,3 | 7777777000 | "1000"
OCT2DEC: 54 | 7777777533 | 8 | "77"
OCT2HEX: 100,4 | 7777777533
ODD: 1.5 | 3 | 2 | -1 | -2 | 0 | 0.1 | -0.1
ODDFPRICE: DATE(2008,11,11),DATE(2021,3,1),DATE(2008,10,15),DATE(2009,3,1),0.0785,0.0625,100,2,1
ODDFYIELD: DATE(2008,11,11),DATE(2021,3,1),DATE(2008,10,15),DATE(2009,3,1),0.0575,84.5,100,2,0
ODDLPRICE: DATE(2008,2,7),DATE(2008,6,15),DATE(2007,10,15),0.0375,0.0405,100,2,0
ODDLYIELD: DATE(2008,4,20),DATE(2008,6,15),DATE(2007,12,24),0.0375,99.875,100,2,0
OR: TRUE,FALSE | A1:A10 | E1:E3 | B4 | FALSE,0 | "x",TRUE | B4:B5 | "FALSE"
PDURATION: 0.025,2000,2200 | 0,1,2 | 0.025,2000,1000
PEARSON: A1:A10,D1:D10 | {9,7,5,3,1},{10,6,1,5,3}
PERCENTILE: A1:A10,0.3 | A1:A10,0 | A1:A10,1 | A1:A10,1.1 | B1:B10,0.5 | E1:E3,0.5 | A1:A10,"0.3"
PERCENTILE.EXC: A1:A10,0.3 | A1:A10,0 | A1:A10,0.05
PERCENTILE.INC: A1:A10,0.3 | A1:A10,-0.1
PERCENTRANK: A1:A10,4 | A1:A10,4.5 | A1:A10,4,1 | A1:A10,100 | A1:A10,1
PERCENTRANK.EXC: A1:A10,4 | A1:A10,4.5 | A1:A10,0
PERCENTRANK.INC: A1:A10,4 | A1:A10,4.5,5
PERMUT: 100,3 | 3,2 | 2,3 | 3.9,2.9 | 0,0 | -1,1
PERMUTATIONA: 3,2 | 2,2 | 0,0 | 3.9,2
PHI: 0.75 | 0
PI:
PMT: 0.08/12,10,10000 | 0.08/12,10,10000,0,1 | 0.06/12,18*12,0,50000 | 0,12,1200 | 0.05,0,100 | 0.01,12,1000,,1 |
    0.08/12,10,10000,0,5 | -0.01,12,1000
POISSON: 2,5,TRUE | 2,5,FALSE
POISSON.DIST: 2,5,TRUE | 2,5,FALSE | 2.9,5,FALSE | -1,5,TRUE | 0,0,TRUE | 200,180,FALSE
POWER: 5,2 | 98.6,3.2 | 4,5/4 | 0,0 | 0,-1 | -8,1/3 | -2,3 | -2,0.5 | 10,400 | 2,-1 | -8,2
PPMT: 0.1/12,1,24,2000 | 0.08,10,10,200000 | 0.1/12,1,24,2000,0,1 | 0.1/12,25,24,2000 | 0,1,12,1000
PRICE: DATE(2008,2,15),DATE(2017,11,15),0.0575,0.065,100,2,0 | DATE(2008,2,15),DATE(2017,11,15),0.0575,0.065,100,2,1 |
    DATE(2008,2,15),DATE(2008,5,15),0.0575,0.065,100,2
PRICEDISC: DATE(2008,2,16),DATE(2008,3,1),0.0525,100,2
PRICEMAT: DATE(2008,2,15),DATE(2008,4,13),DATE(2007,11,11),0.061,0.061,0
PROB: {0,1,2,3},{0.2,0.3,0.1,0.4},2 | {0,1,2,3},{0.2,0.3,0.1,0.4},1,3 | {0,1,2,3},{0.2,0.3,0.1,0.4},9
PRODUCT: A1:A10 | 2,3,"4" | B1:B10 | B4 | E1:E3 | TRUE,5 | B4,2 | ,5 | 1E200,1E200
PROPER: "this is a TITLE" | "2-way street" | "76BudGet" | "o'neil" | "éCOLE" | A1
PV: 0.08/12,12*20,500,,0 | 0,12,-100 | 0.1,5,0,-1000 | 0.01,12,-100,0,1 | 0.05,-1,100
QUARTILE: A1:A10,1 | A1:A10,0 | A1:A10,4 | A1:A10,5 | A1:A10,1.9 | B1:B10,2
QUARTILE.EXC: A1:A10,1 | A1:A10,0 | A1:A10,3
QUARTILE.INC: A1:A10,3
QUOTIENT: 5,2 | 4.5,3.1 | -10,3 | 1,0 | "7",2
RADIANS: 270 | 180
RANK: 5,A1:A10 | 5,A1:A10,1 | 7,A1:A10 | A1,A1:A10,0 | 20,B1:B10
RANK.AVG: 5,A1:A10 | 3,A1:A10,1
RANK.EQ: 5,A1:A10 | 5,A1:A10,TRUE
RATE: 4*12,-200,8000 | 12,-100,1000 | 10,0,-1000,2000 | 12,-100,1000,0,1 | 12,-100,1000,0,0,0.1 | 360,-1000,100000 |
    12,100,1000
RECEIVED: DATE(2008,2,15),DATE(2008,5,15),1000000,0.0575,2
REPLACE: "abcdefghijk",6,5,"*" | "2009",3,2,"10" | "123456",1,3,"@" | "abc",0,1,"x" | "abc",10,1,"x" | "abc",2,0,"x" |
    12345,2,1,"" | "abc",2,-1,"x"
REPLACEB: "abc",2,1,"x"
REPT: "*-",3 | "-",10 | "x",0 | "x",-1 | "x",2.9 | "ab",20000 | 12,2
RIGHT: "Sale Price",5 | "Stock" | "abc",0 | "abc",10 | 12345,2 | "abc",-1 | 1/3,4 | "😀",1
RIGHTB: "abc",2
ROMAN: 499,0 | 499,1 | 499,2 | 499,3 | 499,4 | 0 | 3999 | 4000 | -1 | 499 | 499,TRUE | 499,FALSE | 1.9 | 45,2
ROUND: 2.15,1 | 2.149,1 | -1.475,2 | 21.5,-1 | 626.3,-3 | 1.98,-1 | -50.55,-2 | 0.5,0 | 1.5,0 | 2.5,0 | -0.5,0 | -2.5,0 |
    1.005,2 | 2.675,2 | 1.115,2 | 8.325,2 | 1234567.891,2 | 5E-10,5 | 0.285,2 | 1E15+0.5,0 | 123.456,1.9 | 39.995,2 |
    0.1+0.7,1 | 1E300,2 | 1.45,1 | 4.35,1 | 1.55,1 | 33.335,2 | 17.955,2 | 1E-5,5 | 2.5,-1 | 5,-1 | 1,20 | 1,400 |
    123,-5 | 1,-400
ROUNDDOWN: 3.2,0 | 76.9,0 | 3.14159,3 | -3.14159,1 | 31415.92654,-2 | 2.3,1 | 8.7,1 | 1.1,1 | 0.29*100,0 | 4.35*100,0 |
    1.15*100,0 | -0.5,0 | 1.005*1000,0 | 0.7,1 | 64.1,1
ROUNDUP: 3.2,0 | 76.9,0 | 3.14159,3 | -3.14159,1 | 31415.92654,-2 | 2.3,1 | 8.7,1 | 1.1,1 | 0.1*3,1 | 0.07*100,0 | 1E-20,0 |
    -0.5,0 | 64.1,1 | 1,0 | 0,0
ROW: C10 | A2:A4
ROWS: C1:E4 | {1,2,3;4,5,6} | A:A | A1
RRI: 96,10000,11000 | 0,1,2 | 8,-1,1 | 3,100,50
RSQ: A1:A10,D1:D10 | {2,3,9,1,8,7,5},{6,5,11,7,5,4,4}
SEARCH: "e","Statements",6 | "margin","Profit Margin" | "M","miriam" | "b*d","abcd" | "?b","xab" | "~*","a*b" | "","abc" |
    "z","abc" | "a","abc",0 | "a","aba",2 | "~?","ab?" | "b?","ab" | 1,321 | "*","abc" | "","abc",4 | "a~","xa~"
SEARCHB: "b","abc"
SEC: 45 | 0
SECH: 45 | 1000
SECOND: 0.785 | "4:48:18 PM" | "12:00" | 0.99999 | 43831.5000058 | 0.0000057
SERIESSUM: PI()/4,0,2,{1,-0.5,0.0416666,-0.0013888} | 2,0,1,A1:A5
SIGN: 10 | 0 | -0.00001
SIN: 1 | PI() | 30*PI()/180
SINH: 1 | 1000 | -1
SKEW: A1:A10 | 3,4,5,2,3,4,5,6,4,7 | 1,2 | 1,1,1
SKEW.P: A1:A10 | 3,4,5,2,3,4,5,6,4,7
SLN: 30000,7500,10 | 1,2,0
SLOPE: A1:A10,D1:D10 | {2,3,9,1,8,7,5},{6,5,11,7,5,4,4} | {1,2},{1,1}
SMALL: A1:A10,3 | A1:A10,11 | A1:A10,0 | A1:A10,1.5 | B1:B10,1 | {3,5,3},2
SQRT: 16 | -1 | 0 | 2 | "16"
SQRTPI: 1 | 2 | -1
STANDARDIZE: 42,40,1.5 | 42,40,0
STDEV: A1:A10 | 1,2,3 | B1:B10 | 5 | B4 | 1,TRUE,"3"
STDEVA: A1:A10 | B1:B10 | E1:E3
STDEVP: A1:A10 | 5 | B1:B10
STDEV.P: A1:A10 | 5
STDEVPA: B1:B10 | A1:A10
STDEV.S: A1:A10 | {1E9+1,1E9+2,1E9+3}
STEYX: A1:A10,D1:D10 | {2,3,9,1,8,7,5},{6,5,11,7,5,4,4}
SUBSTITUTE: "Sales Data","Sales","Cost" | "Quarter 1, 2008","1","2",1 | "Quarter 1, 2011","1","2",3 | "aaa","a","b",2 |
    "aaa","A","b" | "abc","","x" | "aaa","aa","b" | 1231,1,"x" | "aaa","a","b",0 | "aaa","a","b",5 | "a*b","*","" |
    "abc","b",
SUBTOTAL: 9,A1:A10 | 1,A1:A10 | 2,B1:B10 | 3,B1:B10 | 4,A1:A10 | 5,A1:A10 | 6,A1:A5 | 7,A1:A10 | 8,A1:A10 | 10,A1:A10 |
    11,A1:A10 | 109,A1:A10 | 101,A1:A10 | 102,B1:B10 | 9,A1:A3,D1:D3
SUM: A1:A10 | B1:B10 | 1,TRUE,"3" | E1:E10 | B4 | "x",1 | A1,B2,B3 | C1:C2 | 0.1,0.2,-0.3 | ,1 | A1:A3,D1:D3 | A1:B3 |
    {1,2,"3",TRUE} | "5%" | 1E20,1,-1E20 | 3,2,{"x"} | B2+B3 | A:A | (A1:A3,D1:D3) | A1:A3 A2:A5 | (A1:A2)
SUMIF: A1:A10,">3" | A1:A10,3,D1:D10 | E1:E10,"a*",A1:A10 | E1:E10,"apple",A1:A10 | B1:B10,"=",A1:A10 | B1:B10,"<>",A1:A10 |
    B1:B10,"",A1:A10 | B1:B10,TRUE,A1:A10 | B1:B10,"20",A1:A10 | E1:E10,"a~*b",A1:A10 | E1:E10,">b",A1:A10 |
    G1:G10,">="&DATE(2020,3,1),A1:A10 | A1:A10,"<>3",B1:B10 | A1:A10,B4,D1:D10 | E1:E10,"<>",A1:A10 | E1:E10,"",A1:A10 |
    A1:A10,">3",D1 | E1:E7,"<>apple",A1:A7
SUMIFS: A1:A10,D1:D10,">2" | A1:A10,D1:D10,">2",E1:E10,"*a*" | B1:B10,A1:A10,">0" | A1:A10,D1:D5,">2" |
    A1:A10,E1:E10,"<>apple" | A1:A10,B1:B10,"=" | A1:A10,B1:B10,"<>"
SUMPRODUCT: A1:A10,D1:D10 | A1:A10*D1:D10 | (A1:A10>3)*D1:D10 | --(E1:E10="apple") | A1:A10,B1:B10 | A1:A3,D1:D4 |
    (A1:A10>3),D1:D10 | {1,2;3,4},{5,6;7,8} | (A1:A10>2)*(D1:D10<20)*A1:A10 | A1:A10/D1:D10 | A1:A10^2 |
    (MONTH(G1:G10)=1)*A1:A10 | LEN(E1:E10) | A1:A10*{1,2} | --(LEFT(E1:E10,1)="a"),A1:A10 | A1:A10+B1:B10
SUMSQ: 3,4 | A1:A10 | B1:B10 | TRUE,"2"
SUMX2MY2: {2,3,9,1,8,7,5},{6,5,11,7,5,4,4} | A1:A3,D1:D4 | A1:A10,B1:B10
SUMX2PY2: A1:A10,D1:D10
SUMXMY2: A1:A10,D1:D10
SWITCH: 2,1,"a",2,"b" | 9,1,"a" | 9,1,"a","none" | "A","a",1,"b",2 | A1,3,"three","other" | "1",1,"num","no" | 1/0,1,2
SYD: 30000,7500,10,1 | 30000,7500,10,10 | 30000,7500,10,11
T: "Rain" | 19 | TRUE | B4 | C1 | C3
TAN: 0.785 | PI()/2
TANH: -2 | 1000 | 0.5
TBILLEQ: DATE(2008,3,31),DATE(2008,6,1),0.0914
TBILLPRICE: DATE(2008,3,31),DATE(2008,6,1),0.09
TBILLYIELD: DATE(2008,3,31),DATE(2008,6,1),98.45
TDIST: 1.959999998,60,2 | 1.96,60,1 | -1,60,2 | 1,1.9,1
T.DIST: 60,1,TRUE | 8,3,FALSE | -1,5,TRUE
T.DIST.2T: 1.959999998,60 | -1,60
T.DIST.RT: 1.959999998,60 | -1,60
TEXT: 1234.567,"$#,##0.00" | 0.285,"0%" | 0.285,"0.0%" | 1234.567,"0.0E+00" | 12345.678,"0.00E+00" | 1234567,"#,##0" |
    1234567,"#,##0," | 1234567,"0.0,," | -5,"[Red]0" | -5,"0;(0)" | -5,"0.00;[Red]-0.00" | "abc","0;-0;zero;@!" |
    "abc","@" | 5,"@" | 0.5,"?/?" | 0.3333,"# ?/?" | 1.25,"# ??/??" | 43831,"yyyy-mm-dd" | 43831.75,"yyyy-mm-dd hh:mm" |
    43831,"d/m/yy" | 43831,"dddd, mmmm d, yyyy" | 43831,"ddd mmm" | 43831.75,"h:mm AM/PM" | 43831.5,"hh:mm:ss" |
    1.5,"[h]:mm" | 0.0001,"[mm]:ss" | 43831,"mmmmm" | 5,"000" | 5.678,"0.0" | 2.5,"0" | 3.5,"0" | -2.5,"0" | 0.5,"0" |
    1.005,"0.00" | 5,"General" | 1/3,"General" | 1234.5,"General" | 123456789012,"General" | TRUE,"0" | "x","0.00" |
    B4,"0" | 1234.5,"" | 12,"0 ""units""" | 12,"0\x" | 0.05,"0.##" | 5,"0.##" | 5,"#.##" | 0,"#" | 1234,"# ##0" |
    5551234,"000-0000" | 1E10,"0" | 1E-10,"0.000" | -0.001,"0.0" | 99.999,"0.00" | 1234.5678,"#,##0.00" | 0.123,".00" |
    12345,"0,000" | 43831,"m" | 43831,"mm/dd/yyyy" | 0.75,"hh" | 0.5,"hh:mm AM/PM" | 43831.999999,"hh:mm" | 12.5,"0.0_)" |
    12.5,"* 0.0" | 1E20,"0" | 1E20,"General" | 0.00001,"General" | 5,"0%;-0%" | -0.5,"0%" |
    123,"[>100]""big"";""small""" | 50,"[>100]""big"";""small""" | 43831,"yy" | 43831,"mmm-yy" | 43831,"d-mmm" |
    0.5,"0.0%" | 1,"0" | -1,"-0" | 1234.567,"0.0e+0" | 0.00123,"##0.0E+0" | 60,"yyyy-mm-dd" | 0,"yyyy-mm-dd" |
    -1,"yyyy-mm-dd" | 1,"d mmm yyyy" | 3,"""Q""0" | 1.5,"hh:mm:ss.000" | 123.456,"0.00 ""kg""" | C1,"0" | B4,"0.00" |
    B6,"0.00" | C3,"0.0" | B2,"0.00" | B9,"mmm"
TEXTJOIN: ", ",TRUE,E1:E3 | "-",FALSE,B1:B5 | "-",TRUE,B1:B5 | ,TRUE,"a","b" | {",",";"},TRUE,"a","b","c" | "",TRUE,A1:A3 |
    ",",TRUE,A1:B2
TIME: 12,0,0 | 16,48,10 | 27,0,0 | 0,750,0 | 0,0,2000 | -1,0,0 | 12.9,0,0 | 0,-1,0 | 1,-1,0
TIMEVALUE: "2:24 AM" | "22-Aug-2011 6:35 AM" | "13:45:10" | "abc" | "25:00" | "12" | "1:2:3"
T.INV: 0.75,2 | 0.3,10 | 0,1
T.INV.2T: 0.546449,60 | 1,5
TINV: 0.054644927,60 | 0.5,1
TRANSPOSE: {1,2;3,4} | A1:A3
TREND: {1,3,5,7},{1,2,3,4},5 | A1:A10,D1:D10,60 | A1:A10
TRIM: "  a   b " | A1 | C4 | ""
TRIMMEAN: A1:A10,0.2 | {4,5,6,7,2,3,4,5,1,2,3},0.2 | A1:A10,1 | A1:A10,0
TRUE:
FALSE:
TRUNC: 8.9 | -8.9 | 0.45 | 8.999,2 | 1234.5,-2 | 4.35*100 | 2.3,1 | 64.1,1 | 1.1*3,1 | 123.456,1.9
T.TEST: {3,4,5,8,9,1,2,4,5},{6,19,3,2,14,4,5,17,1},2,1 | A1:A10,D1:D10,1,2 | A1:A10,D1:D10,2,3 | A1:A10,D1:D10,3,1
TTEST: A1:A10,D1:D10,2,2
TYPE: 1 | "a" | TRUE | C1 | B4 | {1,2} | A1
UNICHAR: 66 | 32 | 0 | 8364 | 128512 | 55296 | 65.9
UNICODE: "B" | "€" | "" | "😀" | A1
UPPER: "total" | "é" | TRUE | A1
VALUE: "$1,000" | "16:48:00" | "5%" | "1e3" | "abc" | "" | " 5 " | "1/2" | "2020-01-01" | "(5)" | "1,2,3" | "TRUE" | TRUE |
    B4 | "1 1/2" | "-5" | "+5" | "5-" | "1,00" | "0x10" | "1.5.2" | "12:30 PM" | "Jan 5, 2020" | "1E" | ".5" | "5." |
    "- 5" | "1 000" | "1,234" | "12,34"
VAR: A1:A10 | B1:B10 | 5
VARA: A1:A10 | B1:B10
VARP: A1:A10 | 5
VAR.P: A1:A10 | B1:B10
VARPA: B1:B10
VAR.S: A1:A10 | {1E9+1,1E9+2,1E9+3} | B4
VDB: 2400,300,3650,0,1 | 2400,300,120,0,1 | 2400,300,10,0,1 | 2400,300,120,6,18 | 2400,300,120,6,18,1.5 |
    2400,300,10,0,0.875,1.5 | 2400,300,10,5,7,2,TRUE | 2400,300,10,11,12
VLOOKUP: 5,D1:E10,2 | 4,D1:E10,2 | 4,D1:E10,2,FALSE | 0,D1:E10,2 | "dog",F1:G10,2,FALSE | "d*",F1:G10,2,FALSE |
    "DOG",F1:G10,2,0 | "zz",F1:G10,2,FALSE | 5,D1:E10,3 | 5,D1:E10,0 | "cat",F1:G10,2 | "cow",F1:G10,2,TRUE |
    5,D1:E10,2, | "5",D1:E10,2,FALSE | "a~*b",E1:F10,2,FALSE | B4,B1:C10,1,FALSE | 2,{1,"a";2,"b"},2,FALSE |
    5,A1:D10,4,FALSE | 2,D1:E10,2 | 2,D1:E10,2,FALSE | 5,D1:E10,1.9 | TRUE,B1:C10,1,FALSE | "20",B1:C10,1,FALSE |
    5,D1:E10,-1 | "",C1:D5,1,FALSE | 5,T1:U6,2 | 0,T1:U6,2 | 100,T1:U6,2,TRUE | 4,T1:U6,2 | B2,T1:U6,2
WEEKDAY: DATE(2008,2,14) | DATE(2008,2,14),2 | DATE(2008,2,14),3 | DATE(2008,2,14),11 | DATE(2008,2,14),17 |
    DATE(2008,2,14),4 | 0 | 1 | 60 | 61 | -1 | "2008-02-14" | 43831.9,2
WEEKNUM: DATE(2012,3,9) | DATE(2012,3,9),2 | DATE(2012,3,9),21 | DATE(2012,1,1) | DATE(2012,12,31),11 | DATE(2012,3,9),3 |
    DATE(2021,1,1),21 | DATE(2020,12,31),1 | DATE(2012,3,9),17 | DATE(2022,1,1),14
WEIBULL: 105,20,100,TRUE | 105,20,100,FALSE
WEIBULL.DIST: 105,20,100,TRUE | 105,20,100,FALSE | 0,1,1,FALSE | -1,1,1,TRUE
WORKDAY: DATE(2008,10,1),151 | DATE(2008,10,1),151,{39778,39786,39834} | DATE(2008,10,1),-10 | DATE(2008,10,4),0 |
    DATE(2008,10,4),1 | DATE(2008,10,1),1.9 | DATE(2020,1,1),5,G1:G3 | DATE(2008,10,4),-1
WORKDAY.INTL: DATE(2012,1,1),30,0 | DATE(2012,1,1),90,11 | DATE(2012,1,1),30,17 | DATE(2012,1,1),5,"0000011" |
    DATE(2012,1,1),5,"1111111" | DATE(2012,1,1),-5,2 | DATE(2012,1,1),5
XIRR: {-10000,2750,4250,3250,2750},{39448,39508,39751,39859,39904},0.1 |
    {-10000,2750,4250,3250,2750},{39448,39508,39751,39859,39904} | {1,2},{39448,39508} | {-100,110},{39448,39813}
XNPV: 0.09,{-10000,2750,4250,3250,2750},{39448,39508,39751,39859,39904} | 0,{-1,2},{39448,39508} |
    0.09,{-1,2},{39508,39448}
XOR: TRUE,TRUE | TRUE,FALSE | A1:A10 | B4 | 1,0,5 | "x" | "TRUE",FALSE | TRUE,C1
YEAR: DATE(2020,2,29) | 0 | "2020-02-29" | -1 | 2958466 | "x" | 60 | 366 | 367
YEARFRAC: DATE(2012,1,1),DATE(2012,7,30) | DATE(2012,1,1),DATE(2012,7,30),1 | DATE(2012,1,1),DATE(2012,7,30),3 |
    DATE(2012,1,1),DATE(2012,7,30),2 | DATE(2012,1,1),DATE(2012,7,30),4 | DATE(2012,7,30),DATE(2012,1,1),1 |
    DATE(2011,12,31),DATE(2013,3,1),1 | DATE(2012,2,29),DATE(2013,2,28),0 | DATE(2012,1,1),DATE(2012,1,1) |
    DATE(2012,1,1),DATE(2012,7,30),5 | DATE(2000,1,1),DATE(2010,6,30),1 | DATE(2012,2,28),DATE(2012,3,31),0 |
    DATE(2012,2,28),DATE(2013,2,28),1 | DATE(2012,2,29),DATE(2013,2,28),1 | DATE(2012,2,29),DATE(2013,3,1),1
YIELD: DATE(2008,2,15),DATE(2016,11,15),0.0575,95.04287,100,2,0 | DATE(2008,2,15),DATE(2016,11,15),0.0575,95.04287,100,4,1
YIELDDISC: DATE(2008,2,16),DATE(2008,3,1),99.795,100,2
YIELDMAT: DATE(2008,3,15),DATE(2008,11,3),DATE(2007,11,8),0.0625,100.0123,0
ZTEST: A1:A10,4 | A1:A10,4,2
Z.TEST: A1:A10,4 | A1:A10,6 | A1:A10,4,2
'''
"""A function and its arguments, or lines of them."""

FORMULAS = r"""
-2^2 | 2^-1 | -2^-2 | 2^3^2 | -A1^2 | 10% | 10%^2 | -10% | 50%*200 | 200*10%% | 1+2*3 | (1+2)*3 | 8/4/2 | 2-3-4 | 1-1%
2*-3 | --"3" | -"3" | +"x" | "3"+4 | "3"&4 | 1&2+3 | "a"&1=1&"x" | 1+2&3+4 | 1<2=TRUE | 3>2>1 | 1=1=1 | NOT(1=2)
0.1+0.2=0.3 | 0.1+0.2 | 1-0.9-0.1 | 1-0.9-0.1=0 | (1-0.9-0.1) | (0.1+0.2-0.3) | 0.1+0.2-0.3 | 0.1*3=0.3 | 0.3-0.1*3
1.1-1=0.1 | 1.1-1-0.1 | 43.1-43.2+1 | (43.1-43.2)+1 | 22.26-21.29 | 1E308*10 | -1E308*10 | 1/0 | 0/0 | 0^0 | 0^-1
(-8)^(1/3) | (-2)^3 | 4^0.5 | 1/3&"" | 2/3&"" | 1E20&"" | 1E21&"" | 1E15&"" | 123456789012345&"" | 123456789012&""
1234567890123456&"" | 12345678901&"" | 0.1&"" | 0.1+0.2&"" | 1E-5&"" | 0.00001&"" | 0.0001&"" | 0.000012345&"" | 1E-10&""
1.5E-7&"" | -1/3&"" | 100000*1&"" | 1E100&"" | 1.23456789012345678&"" | 9.99999999999999999&"" | PI()&"" | PI()*1E10&""
PI()*1E-5&"" | 1E10/3&"" | 1E5/3&"" | 1E14/3&"" | 1E15/7&"" | TRUE&"" | FALSE&"x" | B4&"x" | B4&B4 | C1&"x"
DATE(2020,1,1)&"" | 0.5&"%" | (1>0)&"" | -0&"" | -5&"" | "a"="A" | "a"<"B" | "a"<"b" | "Z"<"a" | "10"<"9" | 10<"9"
"a"<TRUE | TRUE>1E10 | TRUE=1 | FALSE=0 | TRUE>FALSE | ""=B4 | B4=0 | B4="" | B4=FALSE | B4=B10 | B4<1 | B4>-1 | B4<"a"
""<"a" | "a">1 | 1="1" | B2=20 | B2="20" | B3=TRUE | B3=1 | B6="ABC" | "a*"="ab" | "-a"<"a" | "a b"<"ab" | "a-b"<"ab"
"co-op"<"coop" | "A"<"a" | "aB"<"Ab" | 1=1.0000000000000001 | 1=1.000000000000001 | A1=C1 | C1=C1 | C1+C2 | C2+C1 | C1&C2
TRUE+TRUE | TRUE*5 | -TRUE | B3+1 | B4+1 | B4*5 | -B4 | B4 | B2+1 | B2*B1 | B6+1 | B8+0 | B9+0 | "5%"+0 | "$5"+0 | "1,000"+0
"1/2/2020"+0 | "2020-02-29"+0 | "12:00"+0 | "12:30:15"+0 | "1 1/2"+0 | "1/2"+0 | "1e3"+0 | " 5 "+0 | "(5)"+0 | "5-"+0 | ""+0
C3+0 | " "+0 | "abc"*1 | "2020-13-01"+0 | "Jan 2020"+0 | "1-Jan-2020"+0 | "1-Jan"*0 | "13:61"+0 | "1.5.2"+0 | "+5"+0
"5e"+0 | "1,00"+0 | "&HFF"+0 | "5 %"+0 | "%5"+0 | "-5%"+0 | "1 000"+0 | "1:2"+0 | "2020/2/3"+0 | "3 Feb 2020"+0
"Feb 3, 2020"+0 | "10:00 PM"+0 | "10 PM"+0 | A1:A3 | A101 | SUM(A1:A3)+A1 | {1,2,3} | SUM({1,2;3,4}) | SUM(A1:A10*2)
SUM({1,2,3}*{1;2}) | SUM(A1:A3*{1;2;3}) | COUNT({1,"a",TRUE,2}) | COUNTA({1,"a",TRUE,2}) | MAX({1,"9",TRUE})
SUM({"1",TRUE}) | AVERAGE({1,TRUE,"a"}) | SUM(-A1:A3) | SUM(A1,A1:A3) | MAX(B4,-5) | MIN(B4,5) | SUM("5",TRUE) | SUM(B2,B3)
AND(B1:B3) | IF({1,0,1},"a","b") | IF(A1,"t","f") | IF("a"="A",1,2) | IF(B4="",1,2) | IF(ISBLANK(B4),1,2) | IF(C3="",1,2)
ISBLANK(C3) | LEN(B4) | LEN(C3) | LEN(1E15) | LEN(1E20) | LEN(0.1+0.2) | LEFT(1E20,5) | LEN(TRUE) | LEN(1/3) | UPPER(0.5)
ROUND("2.5",0) | ROUND(TRUE,0) | ROUND(B4,1) | INT("7.5") | INT(-7.5) | ABS("x") | ABS(TRUE) | SQRT("") | SQRT(B4)
YEAR("1/1/2020") | YEAR(B9) | MONTH(B4) | DAY(B4) | DATE(B4,1,1) | 1900*1 | DATE(1900,2,29)-DATE(1900,2,28) | DATE(1900,3,1)
WEEKDAY(DATE(1900,2,28)) | DATE(2024,2,29)+365 | DATE(2023,12,31)+1 | TEXT(DATE(2024,2,29)+366,"yyyy-mm-dd")
EOMONTH(DATE(2024,1,31),1) | EDATE(DATE(2024,2,29),12) | DATEDIF(DATE(2024,2,29),DATE(2025,2,28),"Y") | INT(0.7*10)
INT(1.1*1.1*100) | MOD(-7,3) | MOD(7,-3) | ROUND(1.005,2)=1.01 | TRUNC(-0.5) | ROUND(-0.4,0) | ROUND(-0.4,0)=0
SUM(0.1,0.2,0.3)=0.6 | SUM(0.1,0.2)-0.3 | 0.1+0.2+0.3=0.6 | 1E16+1-1E16 | 9007199254740993
9007199254740993-9007199254740992 | 123456789.123456789*1000 | 1/7*7=1 | SQRT(2)^2=2 | SQRT(2)^2-2 | LOG10(1000)=3
LOG(8,2)=3 | LOG(1000,10)=3 | EXP(LN(10))=10 | SIN(PI()) | COS(PI()/2) | TAN(PI()/4)=1
INDEX(A1:A10,MATCH(MAX(A1:A10),A1:A10,0)) | INDEX(E1:E10,MATCH("b*",E1:E10,0)) | SUMPRODUCT((E1:E10="apple")*(A1:A10))
SUMPRODUCT(--(A1:A10>=3),--(D1:D10<=8)) | COUNTIF(A1:A10,">"&AVERAGE(A1:A10)) | SUMIF(E1:E10,E1,A1:A10)/COUNTIF(E1:E10,E1)
IFERROR(VLOOKUP("none",E1:F10,2,FALSE),"") | IF(AND(A1>1,OR(B1>5,B1<0)),"yes","no")
CHOOSE(WEEKDAY(G1),"Su","Mo","Tu","We","Th","Fr","Sa") | LEFT(E1,FIND("p",E1)-1) | MID(E2,2,LEN(E2)) | SUBSTITUTE(E1,"p","")
TRIM(C4) | VALUE("12")+1 | REPT("ab",3)&"c" | ROUND(A1/D5,3)*100&"%" | LARGE(A1:A10,1)-SMALL(A1:A10,1)
STDEV(A1:A10)/AVERAGE(A1:A10) | ROW(A5)-ROW(A1)+1 | COLUMN(D1) | ROW() | COLUMN() | CELL("row",A5) | SUM(A$1:A1) | $A$1*2
S!A1+1 | 'S'!A1+1 | SUM(S!A1:A3) | SUM(1:2)*0 | MAX(IF(A1:A10>3,A1:A10)) | #N/A | #DIV/0! | ISERROR(#REF!) | IF(1,,5)
IF(0,5,) | SUM(1,,2) | AVERAGE(1,,2) | COUNT(1,,2) | MAX(-1,,-2) | CONCATENATE("a",,"b") | CHOOSE(2,1,,3) | MATCH(1,A1:A3,)
VLOOKUP(3,A1:D10,2,) | ROUND(2.567,) | LEFT("abc",) | RIGHT("abc",) | MID("abc",,2) | FIND("b","abc",) | LOG(100,)
INDEX(A1:A10,,) | INDEX(A1:A10,) | DATE(2020,,1) | DATE(2020,1,) | PMT(0.01,12,1000,,) | FIXED(1234.567,) | TRUNC(1.5,)
RANK(5,A1:A10,) | TEXT(5,) | SUBSTITUTE("aXbX","X",) | WEEKDAY(G1,) | ADDRESS(1,1,,) | POWER(,2) | MOD(5,) | IF(,1,2)
AND(TRUE,) | OR(FALSE,) | "x""y" | "a,b" | "((" | 1. | .5 | 1E3 | 1e-3 | TRUE | true | FALSE | SUM(INDEX(J2:L6,0,2))
SUMPRODUCT(MAX((A1:A3>1)*A1:A3)) | SUMPRODUCT(MAX(A1:A3*2)) | OR(TRUE,C1) | AND(FALSE,C1) | OR(A1=3,1/0) | AND(A1=4,1/0)
IF(OR(A1=3,C1=1),1,2) | AND(A1=3,OR(A2=1,A3=7)) | AND(B6,TRUE) | OR(B4,A1=3) | VLOOKUP(0,B1:C10,1,FALSE)
SUM(OFFSET(A5,0,0,-3,1)) | SUM(OFFSET(D5,0,0,-2,-2))
"""

DYNAMIC = r"""
INDIRECT("A3") | INDIRECT("S!A3") | INDIRECT(ADDRESS(3,1)) | INDIRECT("A"&3) | SUM(INDIRECT("A1:A5"))
ISREF(INDIRECT("A1")) | SUM(INDIRECT("A"&1&":A"&3)) | OFFSET(A1,2,0) | OFFSET(A3,-1,0) | OFFSET(A1,-1,0)
SUM(OFFSET(A1,0,0,3,1)) | SUM(OFFSET(A1:A3,1,0)) | SUM(OFFSET(A1:A3,,1,2)) | OFFSET(A1,2.9,0) | OFFSET(A1,0,0,0,1)
ROWS(OFFSET(A1,0,0,5,2)) | OFFSET(A1,,3) | OFFSET(A1,B2-19,0) | SUM(OFFSET(A1,0,0,"3",1)) | OFFSET(A1,,)
SUM(OFFSET(A1,0,0,COUNT(A1:A10),1)) | AVERAGE(OFFSET(D1,1,0,COUNTA(D1:D10)-1)) | MATCH(5,OFFSET(A1,0,0,10,1),0)
SUM(OFFSET(A1,1,1,2,2)) | COLUMNS(OFFSET(A1:B2,0,0))
"""
"""Formulas that are left alone as soon as any other one is."""

DIFFERENT = {
    "LibreOffice takes a truth value for a number, and writes it as 1 in a text": r'''
AVERAGE(B1:B10) => 1.8333333333 | AVERAGE(B3) => #DIV/0! | AVERAGEIF(B1:B10,"<>") => 1.8333333333
CONCAT("a",1,TRUE) => "a1TRUE" | CONCAT(E1:E3,B3) => "appleBananacherryTRUE" | CONCAT(B1:B5) => "1020TRUE-5"
CONCATENATE("a",1,TRUE) => "a1TRUE" | CORREL(B1:B10,A1:A10) => -0.53200250885 | COUNT(B1:B10) => 3
COUNTIF(B1:B10,20) => 1 | DEVSQ(B1:B10) => 115.16666667 | EXPON.DIST(-1,10,TRUE) => #NUM! | ISNUMBER(TRUE) => FALSE
LEFT(TRUE,2) => "TR" | LEN(TRUE) => 4 | LOWER(TRUE) => "true" | MEDIAN(B1:B10) => 0.5 | MID(TRUE,1,2) => "TR"
NPV(0.1,B1:B5) => 4.958677686 | PERCENTILE(B1:B10,0.5) => 0.5 | POISSON.DIST(0,0,TRUE) => 1 | QUARTILE(B1:B10,2) => 0.5
ROMAN(499,TRUE) => "CDXCIX" | ROMAN(499,FALSE) => "ID" | STDEV(B1:B10) => 7.5883682919 | STDEVP(B1:B10) => 6.1958767651
SUBTOTAL(2,B1:B10) => 3 | SUBTOTAL(102,B1:B10) => 3 | SUM(B1:B10) => 5.5 | SUM(A1,B2,B3) => 3 | SUM(A1:B3) => 18
SUM({1,2,"3",TRUE}) => 3 | SUMIF(A1:A10,"<>3",B1:B10) => -4.5 | SUMIFS(B1:B10,A1:A10,">0") => 5.5
SUMPRODUCT(A1:A10,B1:B10) => 6 | SUMPRODUCT((A1:A10>3),D1:D10) => 0 | SUMSQ(B1:B10) => 125.25 | TEXT(TRUE,"0") => "TRUE"
TEXTJOIN("-",FALSE,B1:B5) => "10-20-TRUE---5" | TEXTJOIN("-",TRUE,B1:B5) => "10-20-TRUE--5" | TYPE(TRUE) => 4
UPPER(TRUE) => "TRUE" | VAR(B1:B10) => 57.583333333 | VAR.P(B1:B10) => 38.388888889
VLOOKUP("5",D1:E10,2,FALSE) => #N/A | VLOOKUP(TRUE,B1:C10,1,FALSE) => TRUE | 3>2>1 => TRUE | 1=1=1 => FALSE
TRUE&"" => "TRUE" | FALSE&"x" => "FALSEx" | (1>0)&"" => "TRUE" | "a"<TRUE => TRUE | TRUE>1E10 => TRUE | TRUE=1 => FALSE
FALSE=0 => FALSE | B3=1 => FALSE | SUM({"1",TRUE}) => 0 | SUM(B2,B3) => 0
''',
    "LibreOffice gives another error than Excel": r'''
ADDRESS(0,1) => #VALUE! | ARABIC("ABC") => #VALUE! | ARABIC("-XL") => #VALUE! | AVEDEV(B4) => #DIV/0!
CHAR(256) => #VALUE! | CHOOSE(0,1) => #VALUE! | CHOOSE(4,1,2,3) => #VALUE! | COMPLEX(1,1,"k") => #VALUE!
COMPLEX(1,1,"J") => #VALUE! | CONVERT(2.5,"ft","sec") => #N/A | CONVERT(1,"h","hr") => #N/A
CONVERT(1,"GB","B") => #N/A | CONVERT(1,"m","M") => #N/A | CONVERT(1,"m","x") => #N/A | COT(0) => #DIV/0!
COTH(0) => #DIV/0! | COVAR(A1:A3,D1:D4) => #N/A | CSC(0) => #DIV/0! | CSCH(0) => #DIV/0! | DOLLARDE(1.1,0.5) => #DIV/0!
DOLLARFR(1.5,0) => #DIV/0! | FACT(171) => #NUM! | FLOOR(2.5,0) => #DIV/0! | HLOOKUP("Qty",J1:L6,9,FALSE) => #REF!
HLOOKUP("Qty",J1:L6,0,FALSE) => #REF! | INDEX(A1:A10,11) => #REF! | INDEX(A1:A10,-1) => #VALUE!
INDEX(J1:L6,2,4) => #REF! | INDEX(A1:A10,3,2) => #REF! | LARGE(A1:A10,11) => #NUM! | LARGE(A1:A10,0) => #NUM!
LEFT("abc",-1) => #VALUE! | LOG(10,1) => #DIV/0! | MEDIAN(B4) => #NUM! | MID("abc",0,1) => #VALUE!
MID("abc",2,-1) => #VALUE! | MMULT(A1:A3,D1:D3) => #VALUE! | NORMINV(0,0,1) => #NUM! | NORM.INV(1,0,1) => #NUM!
NORM.S.INV(0) => #NUM! | PERCENTILE(E1:E3,0.5) => #NUM! | PERCENTILE.EXC(A1:A10,0.05) => #NUM!
PERCENTRANK(A1:A10,100) => #N/A | PERCENTRANK.EXC(A1:A10,0) => #N/A | QUOTIENT(1,0) => #DIV/0! | RANK(20,B1:B10) => #N/A
REPLACE("abc",0,1,"x") => #VALUE! | REPLACE("abc",2,-1,"x") => #VALUE! | REPT("x",-1) => #VALUE!
RIGHT("abc",-1) => #VALUE! | ROMAN(4000) => #VALUE! | ROMAN(-1) => #VALUE! | SEARCH("a","abc",0) => #VALUE!
SKEW(1,1,1) => #DIV/0! | SMALL(A1:A10,11) => #NUM! | SMALL(A1:A10,0) => #NUM! | STANDARDIZE(42,40,0) => #NUM!
SUBSTITUTE("aaa","a","b",0) => #VALUE! | VLOOKUP(5,D1:E10,3) => #REF! | VLOOKUP(5,D1:E10,0) => #REF!
VLOOKUP(5,D1:E10,-1) => #REF! | C1&C2 => #DIV/0! | OFFSET(A1,-1,0) => #REF! | OFFSET(A1,0,0,0,1) => #REF!
''',
    "LibreOffice does not read a text among the arguments of SUM and its like as a number": r'''
AVERAGE(1,TRUE,"3") => 1.6666666667 | LARGE(A1:A10,"2") => 6 | MAX(1,TRUE,"5") => 5 | MIN(1,TRUE,"0") => 0
PRODUCT(2,3,"4") => 24 | SUM(1,TRUE,"3") => 5 | SUM("5%") => 0.05 | SUM("5",TRUE) => 6
''',
    "LibreOffice writes numbers above 1E+15 in another way": r'''
LEN(1E20) => 5 | 1E20&"" => "1E+20" | 1E21&"" => "1E+21" | 1E15&"" => "1E+15"
1234567890123456&"" => "1.23456789012346E+15" | LEN(1E15) => 5 | LEFT(1E20,5) => "1E+20"
''',
    "LibreOffice takes what is left of a rounding for 0 within brackets, too": r'''
SUM(0.1,0.2,-0.3) => 5.5511151231e-17 | (1-0.9-0.1) => -2.7755575616e-17 | (0.1+0.2-0.3) => 5.5511151231e-17
''',
    "LibreOffice works with other factors, day counts or digits than Excel's documentation": r'''
CONVERT(1,"lbm","kg") => 0.45359237 | CONVERT(1,"kW","HP") => 1.3410220896 | CONVERT(1,"J","cal") => 0.23884589663
CONVERT(1,"Pa","atm") => 9.8692326672e-06 | DAYS(10.9,1) => 9
DURATION(DATE(2018,7,1),DATE(2048,1,1),0.08,0.09,2,1) => 10.919145282
INTRATE(DATE(2008,2,15),DATE(2008,5,15),1000000,1014420) => 0.05768
MDURATION(DATE(2008,1,1),DATE(2016,1,1),0.08,0.09,2,1) => 5.7356698139 | MINUTE(0.5208333333) => 30
ODDFPRICE(DATE(2008,11,11),DATE(2021,3,1),DATE(2008,10,15),DATE(2009,3,1),0.0785,0.0625,100,2,1) => 113.59771747
ODDFYIELD(DATE(2008,11,11),DATE(2021,3,1),DATE(2008,10,15),DATE(2009,3,1),0.0575,84.5,100,2,0) => 0.077245541598
PERCENTRANK(A1:A10,4) => 0.555 | PERCENTRANK(A1:A10,4,1) => 0.5 | PERCENTRANK.EXC(A1:A10,4.5) => 0.59
PERCENTRANK.INC(A1:A10,4) => 0.555 | PRICE(DATE(2008,2,15),DATE(2008,5,15),0.0575,0.065,100,2) => 99.7925123
TEXT(0.285,"0%") => "29%" | TEXT(5,"0.##") => "5." | TEXT(5,"#.##") => "5." | TIME(12.9,0,0) => 0.5
''',
    "LibreOffice knows no code page for CHAR and CODE without a screen": r'''
CHAR(0) => #VALUE! | CHAR(128) => "€" | CHAR(169) => "©" | CHAR(255) => "ÿ" | CODE("") => #VALUE! | CODE("€") => 128
CODE("é") => 233 | UNICHAR(0) => #VALUE! | UNICHAR(55296) => #VALUE!
''',
    "LibreOffice takes, or refuses, other arguments than Excel's documentation says": r'''
ARABIC("IIII") => #VALUE! | ATAN2(0,0) => #DIV/0! | BITAND(1.5,1) => #NUM! | BITLSHIFT(1,53) => #NUM!
BITRSHIFT(13,54) => #NUM! | BITRSHIFT(13,60) => #NUM! | CHIDIST(-1,2) => #NUM! | COUNTIF(E1:E10,10) => 1
COUNTIF(C1:C5,C1) => 1 | COUNTIF(A1:A10,"*") => 0 | COUNTIF(A1:A10,"3*") => 0 | DATE(108,1,2) => 39449
DATE(1899,12,31) => 693962 | DATE(10000,1,1) => #NUM! | DATEVALUE("2011/02/23") => 40597
DOLLAR(-1234.567,-2) => "($1,200)" | DOLLAR(-0.123,4) => "($0.1230)" | EFFECT(0,4) => #NUM! | ERROR.TYPE(#NULL!) => 1
FIND("","abc") => 1 | GCD(2^53,2) => #NUM! | GEOMEAN(0,1) => #NUM! | ISEVEN(B4) => TRUE | MROUND(5,-2) => #NUM!
NUMBERVALUE("3.5%") => 0.035 | NUMBERVALUE("1,234.5") => 1234.5 | POWER(0,0) => #NUM! | RANK(7,A1:A10) => #N/A
REPT("ab",20000) => #VALUE! | SEARCH("","abc") => 1 | SWITCH("1",1,"num","no") => "no" | SYD(30000,7500,10,11) => #NUM!
WEEKNUM(DATE(2012,12,31),11) => 54 | WEEKNUM(DATE(2020,12,31),1) => 53 | 0^0 => #NUM! | "2020/2/3"+0 => 43864
''',
}  # fmt: skip
"""Where LibreOffice differs from Excel, why, and what Excel gives."""

DUE = r"""
XLOOKUP(5,D1:D10,E1:E10) => "a?b" | XLOOKUP(4,D1:D10,E1:E10) => #N/A | XLOOKUP(4,D1:D10,E1:E10,"none") => "none"
XLOOKUP(4,D1:D10,E1:E10,,-1) => "a*b" | XLOOKUP(4,D1:D10,E1:E10,"",1) => "a?b"
XLOOKUP(100,D1:D10,E1:E10,"x",-1) => "banana" | XLOOKUP(0,D1:D10,E1:E10,"x",-1) => "x"
XLOOKUP("b*",E1:E10,A1:A10,"x",2) => 1 | XLOOKUP("APPLE",E1:E10,A1:A10) => 3 | XLOOKUP(2,D1:D10,E1:E10,"x",0,-1) => "cherry"
XLOOKUP(2,D1:D10,E1:E10,"x",0,1) => "Banana" | XLOOKUP(2,D1:D10,E1:E10,"x",-1) => "Banana" | XLOOKUP("Qty",J1:L1,J3:L3) => 5
XLOOKUP(C1,A1:A10,D1:D10) => #DIV/0! | XLOOKUP(4,D1:D10,E1:E10,NA()) => #N/A | XLOOKUP("a*",E1:E10,A1:A10,"no") => "no"
XLOOKUP(1,{1,2},{"a","b"}) => "a" | SUM(XLOOKUP(3,A1:A10,B1:D10)) => 11 | XMATCH(5,D1:D10) => 5 | XMATCH(4,D1:D10) => #N/A
XMATCH(4,D1:D10,-1) => 4 | XMATCH(4,D1:D10,1) => 5 | XMATCH("b*",E1:E10,2) => 2 | XMATCH(2,D1:D10,0,-1) => 3
XMATCH(3,{1,2,3}) => 3 | SUM(FILTER(A1:A10,A1:A10>3)) => 29 | COUNT(FILTER(A1:A10,A1:A10>3)) => 5
FILTER(A1:A10,A1:A10>100,"none") => "none" | ROWS(FILTER(A1:D10,A1:A10>3)) => 5 | COLUMNS(FILTER(A1:D10,A1:A10>3)) => 4
INDEX(SORT(A1:A10),1) => 1 | INDEX(SORT(A1:A10),10) => 9 | INDEX(SORT(A1:A10,1,-1),1) => 9 | INDEX(SORT(A1:A10,,-1),2) => 6
INDEX(SORT(E1:E3),1) => "apple" | INDEX(SORT({3,1,2},1,1,TRUE),1,1) => 1 | INDEX(SORTBY(E1:E3,A1:A3),1) => "Banana"
INDEX(SORTBY(E1:E3,A1:A3,-1),1) => "cherry" | ROWS(UNIQUE(A1:A10)) => 7 | INDEX(UNIQUE(A1:A10),4) => 5
ROWS(UNIQUE(A1:A10,,TRUE)) => 4 | COUNTA(UNIQUE(E1:E10)) => 8 | SUM(SEQUENCE(4)) => 10 | SUM(SEQUENCE(2,3)) => 21
SUM(SEQUENCE(3,1,10,5)) => 45 | INDEX(SEQUENCE(2,3),2,1) => 4 | SUM(SEQUENCE(3,,5)) => 18 | SUM(SEQUENCE(3,1,0,0.1)) => 0.3
SUM(TAKE(A1:A10,3)) => 8 | SUM(TAKE(A1:A10,-2)) => 8 | SUM(DROP(A1:A10,8)) => 8 | SUM(DROP(A1:A10,-8)) => 4
SUM(TAKE(A1:D3,,-1)) => 5 | SUM(CHOOSECOLS({1,2,3;4,5,6},1,3)) => 14 | SUM(CHOOSEROWS({1,2,3;4,5,6},-1)) => 15
ROWS(TOCOL({1,2,3;4,5,6})) => 6 | INDEX(TOCOL({1,2,3;4,5,6}),4) => 4 | COLUMNS(TOROW({1,2;3,4})) => 4
INDEX(TOROW({1,2;3,4}),1,3) => 3 | SUM(VSTACK(A1:A3,D1:D3)) => 13 | ROWS(VSTACK(A1:A3,D1:D3)) => 6
COLUMNS(HSTACK(A1:A3,D1:D3)) => 2 | INDEX(WRAPROWS({1,2,3,4},2),2,1) => 3 | INDEX(WRAPCOLS({1,2,3,4},2),2,1) => 2
ROWS(EXPAND({1,2},3,2)) => 3 | TEXTBEFORE("a-b-c","-") => "a" | TEXTBEFORE("a-b-c","-",2) => "a-b"
TEXTBEFORE("a-b-c","-",-1) => "a-b" | TEXTBEFORE("abc","-") => #N/A | TEXTBEFORE("abc","-",1,0,0,"none") => "none"
TEXTAFTER("a-b-c","-") => "b-c" | TEXTAFTER("a-b-c","-",2) => "c" | TEXTAFTER("a-b-c","-",-1) => "c"
TEXTAFTER("aXb","x",1,1) => "b" | INDEX(TEXTSPLIT("a,b,c",","),1,2) => "b" | COLUMNS(TEXTSPLIT("a,b,c",",")) => 3
ROWS(TEXTSPLIT("a,b;c,d",",",";")) => 2 | LET(x,2,y,3,x*y) => 6 | LET(x,A1,x+x) => 6 | LET(x,A1:A3,SUM(x)*2) => 16
LET(x,5,IF(x>3,"big","small")) => "big" | LET(a,1,b,a+1,c,b*2,c) => 4 | SUM(MAP(A1:A3,LAMBDA(x,x*2))) => 16
SUM(MAP(A1:A3,D1:D3,LAMBDA(x,y,x*y))) => 13 | REDUCE(0,A1:A3,LAMBDA(a,x,a+x)) => 8 | REDUCE(1,{2,3,4},LAMBDA(a,x,a*x)) => 24
INDEX(SCAN(0,A1:A3,LAMBDA(a,x,a+x)),3) => 8 | SUM(BYROW({1,2;3,4},LAMBDA(r,MAX(r)))) => 6
SUM(BYCOL({1,2;3,4},LAMBDA(c,MAX(c)))) => 7 | SUM(MAKEARRAY(2,3,LAMBDA(r,c,r*c))) => 18 | LAMBDA(x,x+1)(2) => 3
ARRAYTOTEXT({1,2;3,4}) => "1, 2, 3, 4" | ARRAYTOTEXT({1,"a"},1) => "{1,"a"}" | VALUETOTEXT("a") => "a"
VALUETOTEXT("a",1) => ""a"" | VALUETOTEXT(5) => "5" | BINOM.DIST.RANGE(60,0.75,48) => 0.0839749674
BINOM.DIST.RANGE(60,0.75,45,50) => 0.523629793 | PERCENTOF(A1:A3,A1:A10) => 0.2051282051
REGEXTEST("abc123","[0-9]+") => TRUE | REGEXEXTRACT("abc123","[0-9]+") => "123"
REGEXREPLACE("abc123","[0-9]+","x") => "abcx" | -2^2 => 4 | 2^3^2 => 64 | -2^-2 => 0.25 | 10%^2 => 0.01 | 50%*200 => 100
"a"="A" => TRUE | "10"<"9" => TRUE | 10<"9" => TRUE | TRUE>"z" => TRUE | 1="1" => FALSE | B4=0 => TRUE | B4="" => TRUE
TRUE+TRUE => 2 | 0.1+0.2=0.3 => TRUE | 1-0.9=0.1 => TRUE | LEFT("abc",0) => "" | MOD(-3,2) => 1 | MOD(3,-2) => -1
ROUND(-2.5,0) => -3 | ROUND(2.675,2) => 2.68 | ROUND(1.005,2) => 1.01 | INT(-8.9) => -9 | TRUNC(-8.9) => -8
QUOTIENT(-10,3) => -3 | CEILING(-2.5,2) => -2 | CEILING(-2.5,-2) => -4 | FLOOR(-2.5,-2) => -2 | EVEN(-1) => -2 | ODD(0) => 1
MROUND(1.3,0.2) => 1.4 | DATE(2024,2,29) => 45351 | DATE(2023,2,29) => 44986 | EOMONTH(DATE(2024,1,31),1) => 45351
EDATE(DATE(2024,2,29),12) => 45716 | WEEKDAY(DATE(2008,2,14),2) => 4 | DATEDIF(DATE(2001,6,1),DATE(2002,8,15),"YD") => 75
DAYS360(DATE(2011,1,30),DATE(2011,2,1)) => 1 | YEARFRAC(DATE(2012,1,1),DATE(2012,7,30)) => 0.5805555556
YEARFRAC(DATE(2012,1,1),DATE(2012,7,30),1) => 0.5765027322 | YEARFRAC(DATE(2012,1,1),DATE(2012,7,30),3) => 0.5780821918
NETWORKDAYS(DATE(2012,10,1),DATE(2013,3,1)) => 110 | NETWORKDAYS.INTL(DATE(2006,1,1),DATE(2006,2,1),7) => 24
WORKDAY(DATE(2008,10,1),151) => 39933 | PMT(0.08/12,10,10000) => -1037.0320893592
PMT(0.06/12,18*12,0,50000) => -129.0811608680 | PV(0.08/12,12*20,500) => -59777.1458511878
FV(0.06/12,10,-200,-500,1) => 2581.4033740602 | NPER(0.12/12,-100,-1000,10000,1) => 59.6738656743
RATE(4*12,-200,8000) => 0.0077014725 | IPMT(0.1/12,1,36,8000) => -66.6666666667 | PPMT(0.1/12,1,24,2000) => -75.6231860083
NPV(0.1,-10000,3000,4200,6800) => 1188.4434123352 | IRR({-70000,12000,15000,18000,21000,26000}) => 0.0866309480
MIRR({-120000,39000,30000,21000,37000,46000},0.1,0.12) => 0.1260941303
XIRR({-10000,2750,4250,3250,2750},{39448,39508,39751,39859,39904},0.1) => 0.373362535
XNPV(0.09,{-10000,2750,4250,3250,2750},{39448,39508,39751,39859,39904}) => 2086.6476020315
DB(1000000,100000,6,1,7) => 186083.3333333333 | DDB(2400,300,3650,1) => 1.3150684932
SYD(30000,7500,10,1) => 4090.9090909091 | VDB(2400,300,120,6,18) => 396.3060532570 | SLN(30000,7500,10) => 2250
EFFECT(0.0525,4) => 0.0535426674 | NOMINAL(0.053543,4) => 0.0525003199
CUMIPMT(0.09/12,360,125000,13,24,0) => -11135.2321307508 | CUMPRINC(0.09/12,360,125000,13,24,0) => -934.1071234209
DISC(DATE(2018,7,1),DATE(2048,1,1),97.975,100,1) => 0.000686384
DURATION(DATE(2018,7,1),DATE(2048,1,1),0.08,0.09,2,1) => 10.9191452816
PRICE(DATE(2008,2,15),DATE(2017,11,15),0.0575,0.065,100,2,0) => 94.6343616213
YIELD(DATE(2008,2,15),DATE(2016,11,15),0.0575,95.04287,100,2,0) => 0.0650000069
ODDFPRICE(DATE(2008,11,11),DATE(2021,3,1),DATE(2008,10,15),DATE(2009,3,1),0.0785,0.0625,100,2,1) => 113.597717474
STDEV.S({1345,1301,1368,1322,1310,1370,1318,1350,1303,1299}) => 27.4639157198 | PERCENTILE.INC({1,2,3,4},0.3) => 1.9
QUARTILE.EXC({6,7,15,36,39,40,41,42,43,47,49},1) => 15 | PERCENTRANK.INC({13,12,11,8,4,3,2,1,1,1},2) => 0.333
RANK.AVG(94,A1:A10) => #N/A | SLOPE({2,3,9,1,8,7,5},{6,5,11,7,5,4,4}) => 0.3055555556
CORREL({3,2,4,5,6},{9,7,12,15,17}) => 0.9970544855 | FORECAST.LINEAR(30,{6,7,9,15,21},{20,28,31,38,40}) => 10.6072530864
NORM.DIST(42,40,1.5,TRUE) => 0.9087887803 | NORM.S.INV(0.9088) => 1.3334017452 | T.INV.2T(0.546449,60) => 0.6065330758
CHISQ.INV(0.93,1) => 3.2830202868 | F.INV(0.01,6,4) => 0.1093099141 | GAMMA.DIST(10.00001131,9,2,TRUE) => 0.0680940039
BETA.INV(0.685470581,8,10,1,3) => 2 | BINOM.DIST(6,10,0.5,FALSE) => 0.205078125 | POISSON.DIST(2,5,TRUE) => 0.1246520195
WEIBULL.DIST(105,20,100,TRUE) => 0.9295813901 | CONVERT(1,"lbm","kg") => 0.45359237 | CONVERT(1,"mi","km") => 1.609344
DEC2BIN(-100) => "1110011100" | HEX2DEC("FFFFFFFF5B") => -165 | BASE(255,16) => "FF" | ROMAN(499,0) => "CDXCIX"
ARABIC("mcmxii") => 1912 | TEXT(1234.567,"$#,##0.00") => "$1,234.57" | TEXT(0.285,"0.0%") => "28.5%"
TEXT(43831.75,"yyyy-mm-dd hh:mm") => "2020-01-01 18:00" | TEXT(-5,"0;(0)") => "(5)" | DOLLAR(-1234.567,-2) => "($1,200)"
FIXED(1234.567,1) => "1,234.6" | PROPER("76BudGet") => "76Budget"
SUBSTITUTE("Quarter 1, 2011","1","2",3) => "Quarter 1, 2012" | COMPLEX(3,4) => "3+4i"
IMDIV("-238+240i","10+24i") => "5+12i"
"""
"""What Excel gives by its documentation, or by the definition of a function."""

_OPERATORS = ["+", "-", "*", "/", "^", "&", "=", "<", ">="]


class Left(str):
    """Why a formula was left alone."""


@pytest.fixture(scope="module")
def office() -> Iterator[LibreOffice]:
    with running() as found:
        yield found


def listed(block: str) -> list[str]:
    return [formula for line in block.strip().splitlines() for formula in line.split(" | ")]


def called(block: str) -> Iterator[tuple[str, str]]:
    """Yield the names of functions and their calls."""
    for text in re.sub(r"\n {4}", " ", block.strip()).splitlines():
        name, _, calls = text.partition(":")
        for arguments in calls.strip().split(" | "):
            yield name, f"{name}({arguments})"


def stated(block: str) -> dict[str, Value]:
    """Read formulas with the values that Excel gives."""
    found: dict[str, Value] = {}
    for item in listed(block):
        formula, _, text = item.partition(" => ")
        if text in ("TRUE", "FALSE"):
            found[formula] = text == "TRUE"
        elif text.startswith("#"):
            found[formula] = Err(text)
        else:
            found[formula] = text[1:-1] if text.startswith('"') else float(text)
    return found


def stored(formula: str) -> str:
    """Return a formula as files write it: newer functions and the variables of LET and LAMBDA have prefixes."""
    pieces = []
    for token in fx.tokens(formula):
        name = token.text.rstrip("(")
        if token.kind == "func" and name in PREFIXED:
            pieces.append("_xlfn._xlws." if name in ("FILTER", "SORT") else "_xlfn.")
        elif token.kind == "word" and name.islower() and re.search(r"LET\(|LAMBDA\(", formula):
            pieces.append("_xlpm.")
        pieces.append(token.text)
    return "".join(pieces)


def book(formulas: Sequence[str]) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = "S"
    for column, values in GRID.items():
        for row, value in enumerate(values, 1):
            if value is not None:
                cell = sheet[f"{column}{row}"]
                cell.value = value
                if isinstance(value, str) and not value.startswith("="):
                    cell.data_type = "s"
    for row, formula in enumerate(formulas, FIRST):
        sheet[f"AA{row}"] = "=" + stored(formula)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def worked(formulas: Sequence[str], engine: Engine | None = None) -> list[Value]:
    """Return the values of formulas, and of those left alone why."""
    data = book(formulas)
    report, new = recalculate_bytes(data, "book.xlsx", engine)
    left = {cell: Left(why) for _, cell, why in report.left}
    package = open_package(Path("book.xlsx"), new or data)
    workbook = read_workbook(package)
    rows = scan_sheet(package.read(workbook.sheets[0][1] or ""), "").rows
    cells = {f"{get_column_letter(c.col)}{c.row}": workbook.value(c) for row in rows for c in row.cells}
    places = [f"AA{row}" for row in range(FIRST, FIRST + len(formulas))]
    return [left.get(place, cells.get(place)) for place in places]


def agree(one: Value, other: Value) -> bool:
    if type(one) is type(other) is float:
        return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
    return type(one) is type(other) and one == other


def told(value: Value) -> str:
    return f"{type(value).__name__} {value!r}"[:80]


def test_every_function_agrees_with_libreoffice(office: LibreOffice, capsys: Any) -> None:
    engine = External("libreoffice", "LibreOffice", office)
    calls = list(called(CALLS))
    known = {formula: (why, value) for why, block in DIFFERENT.items() for formula, value in stated(block).items()}
    compared = left = 0
    wrong: dict[str, str] = {}
    differ: set[str] = set()
    for formulas in ([formula for _, formula in calls] + listed(FORMULAS), listed(DYNAMIC)):
        formulas = list(dict.fromkeys(formulas))
        for formula, ours, theirs in zip(formulas, worked(formulas), worked(formulas, engine), strict=True):
            left += isinstance(ours, Left)
            if isinstance(ours, Left) or isinstance(theirs, Left):
                continue
            compared += 1
            if agree(ours, theirs):
                continue
            differ.add(formula)
            if formula not in known:
                wrong[formula] = f"{told(ours)}, LibreOffice {told(theirs)}"
            elif not close(ours, known[formula][1]):
                wrong[formula] = f"{told(ours)}, Excel {told(known[formula][1])}"
    with capsys.disabled():
        functions = len({name for name, _ in calls})
        print(
            f"\nembedded engine and LibreOffice, {functions} functions: {compared} formulas compared, {left} left alone, "
            f"{len(differ)} where LibreOffice differs from Excel for a stated reason"
        )
    assert wrong == {}
    assert known.keys() <= differ, "a difference that is gone: take it out of DIFFERENT"
    assert compared > 2_000
    assert left < compared / 5


def close(value: Value, due: Value) -> bool:
    """Tell whether a value is the one that Excel's documentation gives, to the digits that it gives."""
    if type(value) is type(due) is float:
        return abs(value - due) <= 2e-9 * max(1, abs(due)) and (abs(due) > 1e-6 or abs(value - due) <= 1e-9 * abs(due))
    return type(value) is type(due) and value == due


def test_what_excel_documents(capsys: Any) -> None:
    due = stated(DUE)
    values = dict(zip(due, worked(list(due)), strict=True))
    left = [formula for formula, value in values.items() if isinstance(value, Left)]
    with capsys.disabled():
        print(
            f"\nembedded engine and Excel's documentation: {len(due) - len(left)} formulas compared, {len(left)} left alone"
        )
    wrong = {f: f"{told(value)}, Excel {told(due[f])}" for f, value in values.items() if f not in left}
    assert {f: text for f, text in wrong.items() if not close(values[f], due[f])} == {}
    assert len(left) < len(due) / 20


def test_brackets_count_or_the_formula_is_left_alone() -> None:
    """A bracket gives what it gives in a cell of its own."""
    pairs = []  # (with brackets, the inside, what is done with it)
    for inner, outer in itertools.product(_OPERATORS, _OPERATORS):
        for a, b, c in (("A1", "A2", "A3"), ("A5", "D4", "D6"), ("A3", "A3", "A1")):
            pairs.append((f"({a}{inner}{b}){outer}{c}", f"{a}{inner}{b}", f"#{outer}{c}"))
            pairs.append((f"{c}{outer}({a}{inner}{b})", f"{a}{inner}{b}", f"{c}{outer}#"))
            pairs.append((f"{c}{outer}-({a}{inner}{b})", f"{a}{inner}{b}", f"{c}{outer}-#"))
            pairs.append((f"(({a}{inner}{b}))%{outer}{c}", f"{a}{inner}{b}", f"#%{outer}{c}"))
    formulas = []
    for text, inside, step in pairs:
        formulas += [text, inside, step.replace("#", f"AA{FIRST + len(formulas) + 1}")]
    values = worked(formulas)
    wrong = {
        text: f"{told(values[3 * i])}, in two steps {told(values[3 * i + 2])}"
        for i, (text, _, _) in enumerate(pairs)
        if not any(isinstance(value, Left) for value in values[3 * i : 3 * i + 3])
        and not agree(values[3 * i], values[3 * i + 2])
    }
    assert wrong == {}
    assert sum(isinstance(value, Left) for value in values[::3]) < len(pairs) / 2


@pytest.mark.parametrize(
    "formula",
    [
        "(A1-A2)%", "A1/-(A2*A3)", "A1=(A2=A3)", "1+(A2&A3)", "MONTH(B4)", "COUNT(IF({1,2}>1,1))", "COUNTIF(Q1:Q5,\"<>x\")", "MATCH(2,D1:D10)",
        "MATCH(B6,T1:T6)", "VLOOKUP(B4,B1:C10,1,FALSE)", "VLOOKUP(0,B1:C10,1,FALSE)", "CONVERT(1,\"C\",\"K\")", "BASE(15,2,1E15)",
        "WRAPROWS({1,2},A1)", "0.1+0.2-0.3", "SUM(A1:A3*2)", "SHEETS()", "TEXT(B9,\"mmm\")", "SUMIFS(A1:A10,D1:D5,\">2\")", "10^400",
        "WORKDAY(G1,5,G2:G3)", "T.DIST.2T(30,60)", "XLOOKUP(1,(A1:A3=1)*1,D1:D3)", "{1,2}", "AVERAGE(1,,3)", "B9+\"1-Jan\"",
    ],
)  # fmt: skip
def test_what_is_known_to_go_wrong_is_left_alone(formula: str) -> None:
    assert isinstance(worked([formula])[0], Left)
