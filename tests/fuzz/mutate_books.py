"""Spoilt workbooks: the bytes of the package, the XML of its parts, or its formulas. The same number gives the same one."""

from __future__ import annotations

import io
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape, unescape

from mutate_calls import TEXTS
from seed_books import CORPUS, DATE, GUARD, SEEDS, TEMPLATES, Parts, packed, seed


@dataclass(frozen=True)
class Mutant:
    """A spoilt workbook."""

    data: bytes
    what: str
    guarded: bool  # its sheet Guard, and what tells where that sheet is, is as it was
    volatile: bool  # it may give other values each time


def mutant(number: int, start: str) -> Mutant:
    """Return the spoilt workbook of a number."""
    chance = random.Random(f"{start}:{number}")
    rare = TEMPLATES if number % 250 == 249 else CORPUS if number % 9 == 8 else tuple(SEEDS)
    name = chance.choice(rare)
    parts = dict(seed(name))
    level = number % 5
    if level == 0:
        how = chance.choice(_BYTES)
        data = how(packed(parts, chance.choice((0, 8, 8))), chance)
        return Mutant(data, f"{name}: bytes: {how.__name__}", False, True)
    if level in (1, 2):
        done = [_spoil_part(parts, chance) for _ in range(chance.choice((1, 1, 2)))]
        return Mutant(packed(parts), f"{name}: {'; '.join(done)}", False, _volatile(parts))
    done = [_spoil_formula(parts, chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    return Mutant(packed(parts), f"{name}: {'; '.join(done)}", name in SEEDS, _volatile(parts))


def _volatile(parts: Parts) -> bool:
    text = b"".join(data for name, data in parts.items() if "worksheets/" in name)
    return bool(re.search(rb"NOW|TODAY|RAND|CELL|INFO", text))


# --- the bytes of the package ----------------------------------------------------------------------------------------


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Flip some bits anywhere."""
    new = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20))):
        new[chance.randrange(len(new))] ^= 1 << chance.randrange(8)
    return bytes(new)


def flipped_directory(data: bytes, chance: random.Random) -> bytes:
    """Flip some bits of the zip's directory or of a local header."""
    new = bytearray(data)
    places = [m.start() for m in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", data)]
    for _ in range(chance.choice((1, 2, 5))):
        at = chance.choice(places) + chance.randrange(46)
        new[min(at, len(new) - 1)] = chance.randrange(256)
    return bytes(new)


def cut(data: bytes, chance: random.Random) -> bytes:
    """Cut the end off, or a piece out."""
    i, j = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:i] if chance.random() < 0.5 else data[:i] + data[j:]


def doubled(data: bytes, chance: random.Random) -> bytes:
    """Insert a piece of the file, or what has nothing to do with it."""
    i, j = sorted(chance.randrange(len(data)) for _ in range(2))
    piece = data[i:j] if chance.random() < 0.5 else chance.choice((b"\0" * 100, b"PK\x05\x06" + b"\0" * 18, data))
    at = chance.choice((0, len(data), chance.randrange(len(data))))
    return data[:at] + piece + data[at:]


def wrong_size(data: bytes, chance: random.Random) -> bytes:
    """Give a member another size, checksum, method, flag, offset or name length in the directory."""
    new = bytearray(data)
    at = chance.choice([m.start() for m in re.finditer(rb"PK\x01\x02", data)])
    offset, form = chance.choice(
        ((8, "<H"), (10, "<H"), (16, "<L"), (20, "<L"), (24, "<L"), (28, "<H"), (30, "<H"), (32, "<H"), (42, "<L"))
    )
    old = struct.unpack_from(form, data, at + offset)[0]
    most = 0xFFFF if form == "<H" else 0xFFFFFFFF
    struct.pack_into(
        form, new, at + offset, chance.choice((0, 1, old + 1, max(old - 1, 0), old ^ 8, most, most - 1, old * 2)) & most
    )
    return bytes(new)


def members(data: bytes, chance: random.Random) -> bytes:
    """Write the package anew with members twice, missing, renamed, in another order, or one too many."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        items = [(name, archive.read(name)) for name in archive.namelist()]
    i = chance.randrange(len(items))
    name, content = items[i]
    match chance.randrange(6):
        case 0:
            items.append((name, chance.choice((content, b"", b"<a/>"))))
        case 1:
            del items[i]
        case 2:
            items[i] = (
                chance.choice(
                    (
                        name.upper(),
                        f"/{name}",
                        f"../{name}",
                        name.replace("/", "\\"),
                        f"{name}\0.xml",
                        "",
                        "C:\\x",
                        "é" * 99,
                    )
                ),
                content,
            )
        case 3:
            chance.shuffle(items)
        case 4:
            items.append(
                (
                    chance.choice(
                        ("xl/worksheets/sheet9.xml", "../../escape.txt", "/etc/passwd", "xl/" + "d/" * 200 + "x")
                    ),
                    b"\0" * 1000,
                )
            )
        case _:
            items[i] = (
                name,
                chance.choice(
                    (b"", b"\0" * 50, content[: len(content) // 2], content + content, b"\xff\xfe" + content)
                ),
            )
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a name that occurs twice
        for name, content in items:
            archive.writestr(zipfile.ZipInfo(name or "x", DATE), content)
    return file.getvalue()


_BYTES: list[Callable[[bytes, random.Random], bytes]] = [
    flipped,
    flipped_directory,
    cut,
    doubled,
    wrong_size,
    members,
    members,
]

# --- the XML of a part -----------------------------------------------------------------------------------------------

_TAG = re.compile(r"<[^<>!?][^<>]*>")
_ATTRIBUTE = re.compile(r"""([\w:]+)=(["'])(.*?)\2""", re.S)
_CONTENT = re.compile(r">([^<>]+)<")
VALUES = [
    "", "0", "-1", "1", "2", "99999999999999999999", "1e308", "-1e999", "nan", "NaN", "inf", "0x10", "1.5", " 1 ", "１", "true", "TRUE",
    "1048576", "1048577", "16385", "2147483648", "A1", "a1", "A0", "A-1", "A1048577", "XFE1", "XFD1048576", "ZZZZ1", "$A$1", "A", "1A", "A1:B2",
    "B2:A1", "A1:XFD1048576", "A:A", "1:1", "A1:A1:A1", "b", "s", "str", "e", "n", "d", "inlineStr", "z", "shared", "array", "dataTable",
    "normal", "rId1", "rId98", "rId999", "xl/workbook.xml", "worksheets/guard.xml", "../worksheets/guard.xml", "/xl/workbook.xml",
    "http://127.0.0.1:9/x", "file:///etc/passwd", "../../../../etc/passwd", "#N/A", "#REF!", "#DIV/0!", "_x0041_", "_x0000_", "&#x10FFFF;",
    "&#xA;", "x" * 300, "é漢🚀", "&lt;b&gt;", "Guard", "Guard!$A$1", "Plan", "'", "''", "Sheet:Other", "[1]Book!A1",
]  # fmt: skip
NAMES = [
    "r",
    "t",
    "s",
    "si",
    "ref",
    "cm",
    "vm",
    "ca",
    "bx",
    "r1",
    "dt2D",
    "spans",
    "hidden",
    "name",
    "localSheetId",
    "xml:space",
    "xmlns",
    "x:r",
]
INSERTED = [
    "&amp;", "&nbsp;", "&#0;", "&#x1F600;", "<![CDATA[<v>1</v>]]>", "<!-- <v>9</v> -->", "<?pi data?>", "<v>5</v>", "<f>1+1</f>", "<c/>", '<c r="A1"><v>1</v></c>',
    '<row r="1"><c r="A1"><f>2+2</f></c></row>', "<row/>", '<c r="Z9"><f t="shared" si="0"/></c>', '<c r="Z8"><f t="array" ref="A1:Z9">1</f></c>', "\x00", "\x0b", "\ufffe",
    "<a xmlns='urn:x'>", "</c>", "<sheetData/>", "<mc:AlternateContent/>", '<c r="B1"><f t="dataTable" ref="B1:B3" dt2D="0" r1="A1"/></c>', "<is><t>x</t></is>",
    "<rPh><t>x</t></rPh>", "x" * 1000,
]  # fmt: skip
HEADS = [
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>', "<!-- c -->", "  ", "\ufeff",
]  # fmt: skip


def _spoil_part(parts: Parts, chance: random.Random) -> str:
    """Spoil the XML of one part; return what was done."""
    names = [name for name in parts if name.endswith((".xml", ".rels"))]
    sheets = [name for name in names if "worksheets/" in name]
    name = chance.choice(sheets) if chance.random() < 0.6 else chance.choice(names)
    text = parts[name].decode("utf-8", "surrogateescape")
    how = chance.choice(_XML)
    parts[name] = how(text, chance).encode("utf-8", "surrogateescape")
    if chance.random() < 0.04:
        parts[name] = chance.choice((_wide, _latin, _tail))(parts[name])
    return f"{name}: {how.__name__}"


def _wide(data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode("utf-16")


def _latin(data: bytes) -> bytes:
    return data.replace(b'encoding="UTF-8"', b'encoding="ISO-8859-1"')


def _tail(data: bytes) -> bytes:
    return data + b"<!-- \xff\xfe -->"


def dropped_tag(text: str, chance: random.Random) -> str:
    """Drop a tag, or an element."""
    tag = _one(_TAG, text, chance)
    if tag is None:
        return ""
    end = tag.end()
    if chance.random() < 0.6:
        name = re.match(r"<([\w:]+)", tag[0])
        close = text.find(f"</{name[1]}>", end) if name else -1
        end = close + len(name[1]) + 3 if name and close >= 0 else end
    return text[: tag.start()] + text[end:]


def repeated(text: str, chance: random.Random) -> str:
    """Repeat an element, somewhere else or right there."""
    found = list(
        re.finditer(
            r"<(c|row|f|v|x:c|x:row|definedName|sheet|table|tableColumn|si|bk|Relationship|Override)\b[^<>]*(?:/>|>.*?</\1>)",
            text,
            re.S,
        )
    )
    if not found:
        return text
    piece = chance.choice(found)
    at = chance.choice(found).start() if chance.random() < 0.5 else piece.end()
    return text[:at] + piece[0] * chance.choice((1, 1, 2, 50)) + text[at:]


def reordered(text: str, chance: random.Random) -> str:
    """Swap two tags."""
    found = list(_TAG.finditer(text))
    if len(found) < 2:
        return text
    a, b = sorted(chance.sample(found, 2), key=lambda m: m.start())
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def attribute(text: str, chance: random.Random) -> str:
    """Give an attribute another value."""
    found = _one(_ATTRIBUTE, text, chance)
    if found is None:
        return text
    return text[: found.start(3)] + chance.choice(VALUES) + text[found.end(3) :]


def attribute_name(text: str, chance: random.Random) -> str:
    """Drop an attribute, double it, or give it another name."""
    found = _one(_ATTRIBUTE, text, chance)
    if found is None:
        return text
    new = chance.choice(("", f"{found[0]} {found[0]}", f"{chance.choice(NAMES)}={found[2]}{found[3]}{found[2]}"))
    return text[: found.start()] + new + text[found.end() :]


def attribute_added(text: str, chance: random.Random) -> str:
    """Give a cell, row or formula one more attribute."""
    found = _one(re.compile(r"<(?:x:)?(?:c|row|f|v|is|sheet|definedName|table|worksheet)\b"), text, chance)
    if found is None:
        return text
    return f'{text[: found.end()]} {chance.choice(NAMES)}="{chance.choice(VALUES)}"{text[found.end() :]}'


def content(text: str, chance: random.Random) -> str:
    """Change the text of an element."""
    found = _one(_CONTENT, text, chance)
    if found is None:
        return text
    return text[: found.start(1)] + chance.choice(VALUES) + text[found.end(1) :]


def inserted(text: str, chance: random.Random) -> str:
    """Insert something between two tags."""
    found = _one(_TAG, text, chance)
    at = found.end() if found else 0
    return text[:at] + chance.choice(INSERTED) * chance.choice((1, 1, 1, 3)) + text[at:]


def headed(text: str, chance: random.Random) -> str:
    """Put something before the root, an entity among it."""
    head, _, rest = text.partition("?>\n")
    return f"{head}?>\n{chance.choice(HEADS)}{rest}"


def nested(text: str, chance: random.Random) -> str:
    """Nest elements deeply."""
    found = _one(_TAG, text, chance)
    at, depth = (found.end() if found else 0), chance.choice((10, 1000, 20_000))
    return text[:at] + "<v>" * depth + "</v>" * depth + text[at:]


def scrambled(text: str, chance: random.Random) -> str:
    """Replace a character."""
    if not text:
        return text
    i = chance.randrange(len(text))
    return text[:i] + chance.choice("<>&\"'/=\x00é ;") + text[i + 1 :]


def renamed(text: str, chance: random.Random) -> str:
    """Give the parts of a package other names or namespaces."""
    return chance.choice((
        text.replace("http://schemas.openxmlformats.org", "http://purl.oclc.org/ooxml"), text.replace("<c ", "<C "), text.replace("<f>", "<x:f>"),
        text.replace('xmlns="', 'xmlns:q="'), text.replace("sheetData", "sheetdata"), text.replace('r="', 'r = "'), text.replace('"', "'"),
    ))  # fmt: skip


def _one(pattern: re.Pattern[str], text: str, chance: random.Random) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return chance.choice(found) if found else None


_XML: list[Callable[[str, random.Random], str]] = [
    dropped_tag, repeated, reordered, attribute, attribute, attribute, attribute_name, attribute_added, attribute_added, content, content,
    inserted, inserted, headed, nested, scrambled, renamed,
]  # fmt: skip

# --- formulas --------------------------------------------------------------------------------------------------------

_FORMULA = re.compile(r"(<(?:x:)?f(?:\s[^<>]*)?>)([^<>]*)(</(?:x:)?f>)")
_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_.][\w.]*\(|\$?[A-Z]{1,3}\$?\d+|[A-Za-z_]\w*|\d+(?:\.\d+)?|.', re.S)
FUNCTIONS = [
    "WEBSERVICE", "FILTERXML", "CALL", "REGISTER.ID", "EXEC", "DDE", "RTD", "HYPERLINK", "IMAGE", "CUBEVALUE", "SQL.REQUEST", "PY", "INDIRECT", "OFFSET",
    "INFO", "CELL", "NOW", "RAND", "RANDARRAY", "SUM", "IF", "IFERROR", "SUMPRODUCT", "MATCH", "INDEX", "TEXT", "LEN", "MMULT", "FILTER", "_xlfn.FILTER",
    "_xlfn._xlws.SORT", "_xlfn.XLOOKUP", "_xlfn.SEQUENCE", "_xlfn.LET", "_xlfn.LAMBDA", "_xlfn.SINGLE", "REPT", "COUNTIF", "SUMIF", "AVERAGE", "CHOOSE",
    "FOO", "_xll.FOO", "MLSIM_TPOT", "MLSIM_LIST", "MLSIM_LINT", "MLSIM_FITS", "MLSIM_CONVERT", "MLSIM_WHY", "MLSIM_SPEC", "MLSIM_PARALLEL_PLAN",
    "MLSIM_CALIBRATE", "MLSIM_NONE", "mlsim.fits", "_xldudf_MLSIM_FITS", "[1]!MLSIM_FITS", "ROW", "COLUMNS", "TRANSPOSE", "GETPIVOTDATA", "EVALUATE",
]  # fmt: skip
PIECES = [
    "+", "-", "*", "/", "^", "&", "=", "<>", "%", ",", ";", ":", "(", ")", "{", "}", "[", "]", "#", "!", "@", '"', "'", "|", " ", "1", "1E308", "-1", "0.1",
    "1E400", "TRUE", "#N/A", "#REF!", "A1", "$A$1", "B2", "Z99", "XFD1048576", "XFE1", "A1048577", "A:A", "1:1", "A1:B2", "B2:A1", "Guard!B1", "Nowhere!A1",
    "'It''s'!A1", "[1]Sheet1!A1", "'[book.xlsx]Sheet1'!A1", "'C:\\[x.xlsx]S'!A1", "Plan:Guard!A1", "cmd|'/C calc'!A0", "cmd|' /C notepad'!'A1'", "Fleet[GPUs]",
    "Fleet[#All]", "Fleet[@GPUs]", "B1#", "_xlfn.ANCHORARRAY(B1)", "rate", "own", "_xlpm.x", '"text"', '"a""b"', '"\x01"', "{1,2;3,4}", "{1,2;3}", "{}",
    '{"a",TRUE,#N/A}', "\n", "\t", "é", "漢字", "_x0041_", "R1C1", "A1:INDEX(A1:A9,2)", "(A1,B1)", "A1:B2 B1:C2", "@A1:A3", "--A1", "1:", "..", "1.2.3",
]  # fmt: skip
WHOLE = [
    "", " ", "=", "==1", "+1", "1", "A1", "#N/A", "#NAME?", "#SPILL!", "#BUSY!", "TRUE", '"', "'", "(", ")", "()", "1+", "1 1", "SUM(", "SUM(A1", "SUM(A1))", "SUM(,)",
    "IF()", "cmd|'/C calc'!A0", "@SUM(1)", "-cmd|'/C calc'!A0", 'WEBSERVICE("http://127.0.0.1:9/x")', 'HYPERLINK("http://127.0.0.1:9/x","x")', 'DDE("a","b","c")',
    'INDIRECT("Guard!B1")', 'INDIRECT("rate")', 'INDIRECT("[1]S!A1")', 'CALL("kernel32","WinExec","JCJ","calc",0)', 'RTD("x",,"y")', "[1]Sheet1!A1", 'EXEC("calc")',
    'FOPEN("/etc/passwd")', 'CELL("filename")', 'INFO("directory")', "NOW()", "RAND()", 'MLSIM_LINT("book.xlsx")', 'MLSIM_LINT("/etc/passwd")', "MLSIM_LIST(A1:A3)",
    'REPT("x",40000)', 'REPT("x",1E9)', "SEQUENCE(1048576)", "_xlfn.SEQUENCE(1E6,1E3)", "_xlfn.SEQUENCE(2000,20)", "A1:XFD1048576", "SUM(A:XFD)", "SUM(1:1048576)",
    "MLSIM_ADD(A:XFD)", "MLSIM_ADD(1:1048576)", "1/0", "0^0", "9^9^9", "1E308*10", "SQRT(-1)", "FACT(1E9)", "COMBIN(1E6,5E5)", "A1048576", "ROW(A1:A5000)",
    "SUMPRODUCT(ROW(1:1048576))", "MMULT(A1:Z26,A1:Z26)", "TEXT(1,REPT(\"0\",300))", "DATE(1E6,1,1)", 'DATEVALUE("31.02.2026")', "_xlfn.REDUCE(0,A1:A9,_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.a+_xlpm.b))",
    "_xlfn.LET(_xlpm.f,_xlfn.LAMBDA(_xlpm.n,_xlpm.f(_xlpm.n)),_xlpm.f(1))", "_xlfn.MAKEARRAY(1E5,1E5,_xlfn.LAMBDA(_xlpm.r,_xlpm.c,1))", '"' + "x" * 300 + '"',
    "SUBSTITUTE(REPT(\"a\",32767),\"a\",\"bbbb\")", "CHAR(0)", "CHAR(10)", "UNICHAR(55296)", '"\x0b"', '"_x000B_"', '"]]>"', 'TEXT(A1,"[$-409]0.00E+00")', "B1:B1:B1",
]  # fmt: skip


def _spoil_formula(parts: Parts, chance: random.Random) -> str:
    """Spoil one formula, outside the guard; return its place and its new text."""
    found = [
        (name, match)
        for name, data in parts.items()
        if "worksheets/" in name and name != GUARD
        for match in _FORMULA.finditer(data.decode("utf-8", "surrogatepass"))
    ]
    name, match = chance.choice(found)
    new = chance.choice(_FORMULAS)(unescape(match[2]), chance)
    text = parts[name].decode("utf-8", "surrogatepass")
    written = escape(new)
    if chance.random() < 0.8:
        written = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", lambda m: f"_x{ord(m[0]):04X}_", written)
    parts[name] = (text[: match.start(2)] + written + text[match.end(2) :]).encode("utf-8", "surrogatepass")
    return f"{name.rpartition('/')[2]}: {match[2]!r:.80} -> {new!r:.200}"


def swapped(text: str, chance: random.Random) -> str:
    """Swap, drop or repeat tokens."""
    tokens = _TOKEN.findall(text) or [""]
    i, j = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    match chance.randrange(3):
        case 0:
            tokens[i], tokens[j] = tokens[j], tokens[i]
        case 1:
            del tokens[i]
        case _:
            tokens.insert(j, tokens[i])
    return "".join(tokens)


def pieced(text: str, chance: random.Random) -> str:
    """Insert a piece, or put one in a token's place."""
    tokens = _TOKEN.findall(text) or [""]
    i = chance.randrange(len(tokens))
    tokens[i] = chance.choice(PIECES) + (tokens[i] if chance.random() < 0.5 else "")
    return "".join(tokens)


def other_function(text: str, chance: random.Random) -> str:
    """Put another function in a function's place, or around everything."""
    name = chance.choice(FUNCTIONS)
    calls = list(re.finditer(r"[A-Za-z_.][\w.]*(?=\()", text))
    if not calls or chance.random() < 0.4:
        return f"{name}({text}{chance.choice(('', ',1', ',A1:B2', ',1,2,3', ',TRUE'))})"
    call = chance.choice(calls)
    return text[: call.start()] + name + text[call.end() :]


def whole(_: str, chance: random.Random) -> str:
    """Put another formula in its place."""
    return chance.choice(WHOLE)


def deep(text: str, chance: random.Random) -> str:
    """Nest it deeply."""
    n = chance.choice((10, 60, 65, 300, 2000, 8000))
    left, right = chance.choice(
        (
            ("(", ")"),
            ("IF(TRUE,", ",0)"),
            ("-", ""),
            ("SUM(", ")"),
            ("1+(", ")"),
            ("MLSIM_ADD(", ")"),
            ("{", "}"),
            ("", "%"),
        )
    )
    return left * n + text + right * n


def long(text: str, chance: random.Random) -> str:
    """Make it as long as a formula may be, or longer."""
    n = chance.choice((100, 1000, 8192, 20_000))
    part = chance.choice((f"+({text})", "+1", '&"x"', "+A1", ",A1", " ", "A", "9", "'", '"'))
    return text + (part * n)[: n * 2]


def circular(text: str, chance: random.Random) -> str:
    """Let it refer to the cells around it, itself among them."""
    near = chance.choice(
        ("A1", "B1", "B2", "C3", "D2", "A1:D6", "B:B", "SUM(A:D)", "_xlfn.ANCHORARRAY(D2)", 'INDIRECT("B2")')
    )
    return text + chance.choice("+&,") + near


def mlsim(_: str, chance: random.Random) -> str:
    """Call an MLSIM function with arguments at random."""
    names = [name for name in FUNCTIONS if "MLSIM" in name]
    texts = [t for t in TEXTS if len(t) < 200]
    args = [
        chance.choice(
            (
                '"' + chance.choice(texts).replace('"', '""') + '"',
                chance.choice(PIECES),
                "A1",
                "B2",
                "A1:B3",
                '"H100"',
                '"Llama-3-8B"',
                "8",
                "",
            )
        )
        for _ in range(chance.choice((0, 1, 2, 2, 3, 4, 8)))
    ]
    return f"{chance.choice(names)}({','.join(args)})"


_FORMULAS: list[Callable[[str, random.Random], str]] = [
    swapped, swapped, pieced, pieced, pieced, other_function, other_function, whole, whole, whole, deep, long, circular, mlsim, mlsim,
]  # fmt: skip
