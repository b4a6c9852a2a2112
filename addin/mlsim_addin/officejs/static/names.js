/* A function's name differs between hosts: MLSIM.X( in this add-in, MLSIM_X( in classic Excel and in LibreOffice. */
const MLSIM_CALL = (() => {
  const word = "[\\p{L}\\p{N}_.\\\\]+";
  const parts = [
    '"(?:[^"]|"")*"', // a text
    `((?:'(?:[^']|'')*'|\\[[^\\[\\]]*\\]|${word})!)?(${word})(?=\\s*\\()`, // a function, with the workbook it is in
    "\\[(?:[^\\[\\]']|'.|\\[(?:[^\\[\\]']|'.)*\\])*\\]", // a table's column: an apostrophe in it begins no name
    "'(?:[^']|'')*'", // a sheet's name
    word, // any other word, so that a name is never found in the middle of one
  ];
  return new RegExp(parts.join("|"), "gu");
})();

const MLSIM_WORKBOOK = /^\[\d+\]!$|\.xl\w+\]?[^\]]*!$/i;

/**
 * Return a formula with the names of MLSIM's functions as a host has them; texts and other names stay as they are.
 *
 * `_xll.MLSIM_X(`, `[1]!MLSIM_X(`, `'mlsim.xlam'!MLSIM_X(` and `_xldudf_MLSIM_X(` are such names too.
 */
function renameCalls(formula, separator, known) {
  if (typeof formula !== "string" || !formula.startsWith("=")) return formula;
  return formula.replace(MLSIM_CALL, (token, workbook, name) => {
    if (!name || (workbook && !MLSIM_WORKBOOK.test(workbook))) return token;
    const found = /^(?:_xll\.|_xldudf_)?MLSIM[._](.+)$/i.exec(name);
    const id = found?.[1].toUpperCase();
    return known.includes(id) ? `MLSIM${separator}${id}` : token;
  });
}
