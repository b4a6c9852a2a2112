/* Excel as the task pane and the custom functions see it, on the maintained mock of Office.js. */
import { OfficeMockObject } from "office-addin-mock";

const objects = [];
const mock = (data) => {
  const made = new OfficeMockObject(data);
  objects.push(made);
  return made;
};

const SPILLED = { "Plan!D4": "Plan!D3" }; // a cell that another one spills into
const sheets = {
  Plan: [
    ["=MLSIM_DECODE_LATENCY(A2,B2)", '="say ""MLSIM_FITS("" "&_xll.MLSIM_FITS(A2,B2)'],
    ["Llama-3-8B", "H100"],
    [140, "=[1]!MLSIM_SPEC(B2,\"memory\",\"GiB\")"],
    ["", "=[1]!MLSIM_SPEC(B2,\"memory\",\"GiB\")"],
  ],
  "My 'own'": [["=SUM(A2:A3)"]],
};
const left = { Plan: "C" }; // the used range begins in column C
const cells = {};
let active = "Plan!C1";

const column = (name, c) => String.fromCharCode((left[name] ?? "A").charCodeAt(0) + c);
const nothing = () => mock({ isNullObject: true, address: "" });

function cell(name, r, c) {
  const address = `${name}!${column(name, c)}${r + 1}`;
  return (cells[address] ??= mock({
    address,
    isNullObject: false,
    formulas: [[sheets[name][r]?.[c] ?? ""]],
    values: [[sheets[name][r]?.[c] ?? ""]],
    select() {
      active = address;
    },
    getSpillParentOrNullObject: () => (SPILLED[address] ? mock({ isNullObject: false, address: SPILLED[address] }) : nothing()),
  }));
}

function at(name, reference) {
  const [, letter, row] = /^\$?([A-Z])\$?(\d+)/.exec(reference);
  return cell(name, row - 1, letter.charCodeAt(0) - column(name, 0).charCodeAt(0));
}

const worksheets = Object.keys(sheets).map((name) =>
  mock({
    name,
    activate() {},
    getRange: (reference) => at(name, reference),
    getUsedRangeOrNullObject: () =>
      mock({ isNullObject: false, formulas: sheets[name], getCell: (r, c) => cell(name, r, c) }),
  }),
);
const sheet = (name) => {
  const found = worksheets[Object.keys(sheets).indexOf(name)];
  if (!found) throw new Error(`no sheet ${name}`);
  return found;
};

const context = mock({
  workbook: {
    getActiveCell: () => at(...active.split("!")),
    worksheets: { items: worksheets, getItem: sheet, getActiveWorksheet: () => sheet(active.split("!")[0]) },
  },
  async sync() {
    for (const each of objects) await OfficeMockObject.prototype.sync.call(each);
    await new Promise((resolve) => setTimeout(resolve)); // the mock does not wait for what lies deeper
  },
});

window.excel = { cells, active: () => active, book: [], associated: {} };

window.Excel = { run: (task) => task(context) };

window.Office = {
  onReady: async (then) => then?.({ host: "Excel" }),
  context: {
    document: {
      getFileAsync(_kind, { sliceSize }, reply) {
        const { book } = window.excel;
        reply({
          status: "succeeded",
          value: {
            sliceCount: Math.ceil(book.length / sliceSize),
            getSliceAsync: (i, done) =>
              done({ status: "succeeded", value: { data: book.slice(i * sliceSize, (i + 1) * sliceSize) } }),
            closeAsync: (done) => done({ status: "succeeded" }),
          },
        });
      },
    },
  },
};

window.CustomFunctions = {
  associate: (name, task) => (window.excel.associated[name] = task),
  Error: class extends Error {
    constructor(code, message) {
      super(message);
      this.code = code;
    }
  },
  ErrorCode: {
    invalidValue: "#VALUE!",
    notAvailable: "#N/A",
    divisionByZero: "#DIV/0!",
    invalidNumber: "#NUM!",
    nullReference: "#NULL!",
    invalidName: "#NAME?",
    invalidReference: "#REF!",
  },
};
