/* The task pane: a formula with its preview, the unit checker, the sources of figures, the names of functions. */
(() => {
  "use strict";

  const SLICE = 4 * 1024 * 1024; // the most that Excel hands over of a file at once
  const MOST_OPTIONS = 60;
  const LISTED = ["model", "hardware", "runtime", "precision"]; // kinds of arguments with a list of names
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const RANGE = /^(?:(?:'((?:[^']|'')+)'|([\p{L}\p{N}_.]+))!)?(\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?)$/iu;

  const $ = (id) => document.getElementById(id);

  /** Return a new element; the content is text or elements, never markup. */
  function make(tag, attributes = {}, ...content) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...content.filter((part) => part !== undefined && part !== null && part !== ""));
    return element;
  }

  const fold = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const counted = (n, thing) => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`;

  // --- tabs ---

  const tabs = [...document.querySelectorAll('[role="tab"]')];

  function show(tab, focus = true) {
    for (const each of tabs) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      $(each.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
  }

  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(tabs[(to + tabs.length) % tabs.length]);
    });
  });

  // --- a field with suggestions ---

  /** Make an input a combobox; options are {value, note}; any other text may be typed as well unless it is strict. */
  function combobox(input, options, picked, strict = false) {
    const list = make("ul", { role: "listbox", id: `${input.id}-list`, "aria-label": "Suggestions", hidden: true });
    let active = -1;
    let edited = false;
    let before = input.value;
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, autocomplete: "off",
      spellcheck: "false",
    })) input.setAttribute(name, value);
    input.after(list);

    const found = () => {
      const wanted = edited ? fold(input.value) : "";
      if (!wanted) return options.slice(0, strict ? options.length : MOST_OPTIONS);
      const hits = options.filter((o) => fold(`${o.value} ${o.note ?? ""}`).includes(wanted));
      const rank = (o) => (fold(o.value).startsWith(wanted) ? 0 : fold(o.value).includes(wanted) ? 1 : 2);
      return hits.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_OPTIONS);
    };

    function open() {
      const hits = found();
      list.replaceChildren(
        ...hits.map((o, i) => {
          const note = o.note ? make("small", {}, o.note) : "";
          const item = make("li", { role: "option", id: `${list.id}-${i}`, "aria-selected": "false" }, o.value, note);
          item.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the input
          item.addEventListener("click", () => pick(o.value));
          item.dataset.value = o.value;
          return item;
        }),
      );
      list.hidden = hits.length === 0;
      input.setAttribute("aria-expanded", String(!list.hidden));
      mark(edited || list.hidden ? -1 : hits.findIndex((o) => o.value === input.value));
    }

    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      mark(-1);
    }

    function mark(i) {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = i;
      const item = list.children[i];
      if (!item) return input.removeAttribute("aria-activedescendant");
      item.setAttribute("aria-selected", "true");
      item.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", item.id);
    }

    function pick(value) {
      input.value = before = value;
      edited = false;
      close();
      picked(value);
    }

    input.addEventListener("input", () => {
      edited = true;
      open();
      if (!strict) picked(input.value);
    });
    input.addEventListener("click", () => list.hidden && open());
    input.addEventListener("blur", () => {
      close();
      edited = false;
      if (strict) input.value = before;
    });
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        if (list.hidden) return open();
        const n = list.children.length;
        mark(active < 0 ? (step > 0 ? 0 : n - 1) : (active + step + n) % n);
      } else if (event.key === "Enter" && !list.hidden) {
        const item = list.children[active] ?? (strict ? list.children[0] : undefined);
        event.preventDefault();
        if (item) pick(item.dataset.value);
        else close();
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        if (strict) input.value = before;
        close();
      }
    });
    return { set: (value) => void (input.value = before = value) };
  }

  // --- Excel ---

  /** Do something in Excel; where there is none, or it refuses, the reason is a sentence. */
  async function inExcel(task) {
    if (typeof Excel === "undefined" || !Excel.run) throw new Error("This needs Excel: open the pane from its Home tab.");
    try {
      return await Excel.run(task);
    } catch (failure) {
      throw new Error(`Excel could not do it: ${failure.message || failure}`);
    }
  }

  /** Read a reference such as Plan!A1:B2, an error as the server reads it. */
  async function cellsOf(reference) {
    const found = RANGE.exec(reference);
    if (!found) throw new Error(`The preview reads single references such as =A1 or =Plan!A1:B2, not =${reference}.`);
    const sheet = found[1]?.replaceAll("''", "'") ?? found[2];
    return inExcel(async (context) => {
      const sheets = context.workbook.worksheets;
      const range = (sheet ? sheets.getItem(sheet) : sheets.getActiveWorksheet()).getRange(found[3]);
      range.load("values");
      await context.sync();
      return range.values.map((row) => row.map((v) => (/^#[A-Z/0]+[!?A]$/.test(v) ? { error: v } : v)));
    });
  }

  /** Return the open workbook's bytes. */
  function workbookBytes() {
    if (typeof Office === "undefined" || !Office.context?.document?.getFileAsync) {
      return Promise.reject(new Error("This needs Excel: open the pane from its Home tab."));
    }
    const done = (start) =>
      new Promise((resolve, reject) =>
        start((result) => (result.status === "succeeded" ? resolve(result.value) : reject(result.error))),
      );
    return (async () => {
      const file = await done((reply) => Office.context.document.getFileAsync("compressed", { sliceSize: SLICE }, reply));
      try {
        const slices = [];
        for (let i = 0; i < file.sliceCount; i += 1) {
          slices.push(new Uint8Array((await done((reply) => file.getSliceAsync(i, reply))).data));
        }
        return new Blob(slices);
      } finally {
        file.closeAsync(() => {}); // Excel allows two open copies
      }
    })();
  }

  /** Run a task behind a button: the button waits, a failure becomes the status. */
  function onClick(button, status, task) {
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-disabled")) return;
      button.setAttribute("aria-disabled", "true"); // not `disabled`, which would take the focus away
      status.className = "";
      try {
        await task(status);
      } catch (failure) {
        status.textContent = failure.message || String(failure);
        status.className = "failed";
      } finally {
        button.removeAttribute("aria-disabled");
      }
    });
  }

  // --- formula ---

  let catalogue = { functions: [] };
  let chosen = null;
  const typed = {}; // what was typed, by argument: it stays when another function is chosen
  let inputs = []; // of the chosen function, in the order of its arguments
  let asked = 0;

  const numberOf = (text) => (NUMBER.test(text) ? Number(text) : undefined);

  /** Return an argument as a formula has it. */
  function written(text) {
    if (text === "") return "";
    if (text.startsWith("=")) return text.slice(1).trim();
    return numberOf(text) === undefined ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function values() {
    const found = inputs.map((input) => input.value.trim());
    while (found.length && found.at(-1) === "") found.pop();
    return found;
  }

  const formulaText = () => `=MLSIM.${chosen.id}(${values().map(written).join(",")})`;

  function choose(id) {
    chosen = catalogue.functions.find((f) => f.id === id) ?? catalogue.functions[0];
    $("description").textContent = chosen.description;
    inputs = [];
    const shown = make("div", { class: "pair" });
    const more = make("div", { class: "pair" });
    let hidden = false;
    chosen.parameters.forEach((parameter, i) => {
      const wide = parameter.repeating || ["model", "hardware", "raw", "any", "text"].includes(parameter.kind);
      const rest = parameter.repeating ? chosen.example.slice(i) : [chosen.example[i]];
      const place = parameter.optional && !parameter.repeating && i >= Math.max(chosen.example.length, 1) ? more : shown;
      hidden ||= place === more;
      for (const example of parameter.repeating ? [...rest, undefined] : rest) {
        place.append(field(parameter, example, wide));
      }
      if (parameter.repeating) shown.append(another(parameter));
    });
    $("fields").replaceChildren(shown);
    $("more-fields").replaceChildren(more);
    $("more").hidden = !hidden;
    $("more").open = false;
    preview();
  }

  function field(parameter, example, wide) {
    const id = `argument-${inputs.length}`;
    const key = parameter.repeating ? `${chosen.id} ${inputs.length}` : parameter.name;
    const input = make("input", {
      id, "aria-describedby": `${id}-help`, autocomplete: "off", spellcheck: "false",
      placeholder: parameter.default ?? (parameter.optional ? "" : "needed"),
      "aria-required": !parameter.optional && "true",
    });
    input.value = typed[key] ?? example ?? "";
    inputs.push(input);
    const changed = () => {
      typed[key] = input.value;
      preview();
    };
    const label = make("label", { for: id }, parameter.name.replaceAll("_", " "), parameter.optional ? make("small", {}, "optional") : "");
    const help = make("p", { class: "help", id: `${id}-help` }, parameter.help);
    if (!LISTED.includes(parameter.kind)) {
      input.addEventListener("input", changed);
      return make("div", { class: wide ? "field wide" : "field" }, label, input, help);
    }
    const box = make("div", { class: "combobox" }, input);
    const made = make("div", { class: wide ? "field wide" : "field" }, label, box, help);
    combobox(input, catalogue[parameter.kind].map((value) => ({ value })), changed);
    return made;
  }

  function another(parameter) {
    const button = make("button", { type: "button", class: "wide" }, `Add another of ${parameter.name}`);
    button.addEventListener("click", () => {
      button.before(field(parameter, undefined, true));
      inputs.at(-1).focus();
    });
    return button;
  }

  /** Show the formula at once, and its value when the typing pauses. */
  function preview() {
    $("formula").textContent = formulaText();
    $("inserted").textContent = "";
    const turn = (asked += 1);
    setTimeout(async () => {
      if (turn !== asked) return;
      let result;
      try {
        const cells = await Promise.all(
          values().map((text) => (text.startsWith("=") ? cellsOf(text.slice(1).trim()) : (numberOf(text) ?? (text || null)))),
        );
        const body = JSON.stringify({ calls: [[`MLSIM_${chosen.id}`, cells]] });
        result = (await MLSIM.ask("calculate", { body })).results[0];
      } catch (failure) {
        result = { error: "", message: failure.message };
      }
      if (turn === asked) showValue(result);
    }, 180);
  }

  function unit() {
    const i = chosen.parameters.findIndex((p) => p.kind === "unit");
    if (i < 0) return "";
    const text = inputs[i].value.trim();
    return text.startsWith("=") ? "" : text || (chosen.parameters[i].default ?? "");
  }

  function shown(value) {
    if (MLSIM.isError(value)) return value.error;
    if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
    if (typeof value !== "number") return String(value);
    const size = Math.abs(value);
    if (size && (size >= 1e15 || size < 1e-4)) return value.toExponential(4);
    return value.toLocaleString("en", { maximumSignificantDigits: size >= 1e5 ? 15 : 6, maximumFractionDigits: 6 });
  }

  function showValue(result) {
    const place = $("value");
    place.className = "";
    if (MLSIM.isError(result)) {
      place.className = "error";
      place.replaceChildren([result.error, result.message].filter(Boolean).join(" "));
    } else if (Array.isArray(result)) {
      place.className = "long";
      place.replaceChildren(table(result));
    } else {
      place.className = typeof result === "string" && result.length > 24 ? "long" : "";
      place.replaceChildren(shown(result), typeof result === "number" && unit() ? make("small", {}, ` ${unit()}`) : "");
    }
  }

  function table(rows) {
    const most = 8;
    const body = rows.slice(0, most).map((row) =>
      make("tr", {}, ...row.map((v) => make("td", { class: typeof v === "number" && "number" }, shown(v)))),
    );
    const size = `Spills over ${rows.length.toLocaleString("en")} × ${rows[0].length} cells.`;
    return make("div", {}, make("div", { class: "scroll" }, make("table", {}, make("tbody", {}, ...body))), make("p", { class: "help" }, size));
  }

  $("formula-form").addEventListener("submit", (event) => event.preventDefault());
  onClick($("put"), $("inserted"), async (status) => {
    const text = formulaText();
    status.textContent = "";
    const address = await inExcel(async (context) => {
      const cell = context.workbook.getActiveCell();
      cell.formulas = [[text]];
      cell.load("address");
      await context.sync();
      return cell.address;
    });
    status.textContent = `Inserted into ${address}.`;
  });

  // --- units ---

  onClick($("run-check"), $("check-status"), async (status) => {
    $("findings").replaceChildren();
    status.textContent = "Reading the workbook …";
    const body = await workbookBytes();
    status.textContent = "Checking …";
    const { findings, formulas, notes } = await MLSIM.ask("lint", { body, type: "application/octet-stream" });
    const errors = findings.filter((f) => f.severity === "error").length;
    const counts = [[errors, "error"], [findings.length - errors, "warning"]].filter(([n]) => n).map(([n, what]) => counted(n, what));
    const said = counts.length ? `${counts.join(" and ")} in ${counted(formulas, "formula")}.` : `No unit mistakes found: ${counted(formulas, "formula")} checked.`;
    status.className = findings.length ? "" : "good";
    status.textContent = [said, ...notes].join(" ");
    $("findings").replaceChildren(...findings.map((f) => make("li", {}, findingButton(f))));
  });

  function findingButton(f) {
    const button = make("button", { class: f.severity },
      make("span", { class: "where" }, make("span", { class: "tag" }, f.severity), `${f.sheet}!${f.cell}`, make("span", { class: "rule" }, f.rule)),
      make("span", { class: "message" }, f.message),
      f.suggestion && make("span", { class: "message" }, f.suggestion),
    );
    onClick(button, $("check-status"), () =>
      inExcel(async (context) => {
        const sheet = context.workbook.worksheets.getItem(f.sheet);
        sheet.activate();
        sheet.getRange(f.cell).select();
        await context.sync();
      }),
    );
    return button;
  }

  // --- sources ---

  let looked = 0;

  /** Show the sources of names, unless others are wanted meanwhile: then the answer is undefined. */
  async function showSources(names, turn) {
    const { sources } = names.length ? await MLSIM.ask("sources", { body: JSON.stringify({ names }) }) : { sources: [] };
    if (turn !== looked) return undefined;
    $("source-list").replaceChildren(...sources.flatMap(({ name, figures }) => [
      make("h3", {}, name), make("dl", {}, ...figures.map(sourceRow)),
    ]));
    return sources;
  }

  function sourceRow(figure) {
    const linked = /^https?:\/\//.test(figure.address);
    const title = linked ? make("a", { href: figure.address, target: "_blank", rel: "noopener noreferrer" }, figure.title) : figure.title;
    return make("div", {},
      make("dt", {}, make("span", { class: "attribute" }, figure.attribute), make("b", {}, figure.value)),
      make("dd", {}, `${figure.meaning}. `, title, `, ${figure.place}`, figure.date && ` (${figure.date})`, "."),
    );
  }

  /** Show the sources of one name. */
  async function look(name) {
    const status = $("sources-status");
    const turn = (looked += 1);
    try {
      const sources = await showSources([name], turn);
      if (!sources) return;
      status.textContent = sources.length ? "" : `The registry knows no "${name}".`;
      status.className = "";
    } catch (failure) {
      status.textContent = failure.message;
      status.className = "failed";
    }
  }

  /** Return the names a formula may hold: its texts, and the values of the cells it refers to. */
  async function namesIn(formula) {
    const texts = [...formula.matchAll(/"((?:[^"]|"")*)"/g)].map((m) => m[1].replaceAll('""', '"'));
    const bare = formula.replace(/"(?:[^"]|"")*"/g, " ");
    const references = bare.match(/(?:'(?:[^']|'')+'!|[\p{L}\p{N}_.]+!)?\$?\b[A-Z]{1,3}\$?\d{1,7}\b(?![(.])/gu) ?? [];
    const cells = await Promise.all(references.slice(0, 20).map((text) => cellsOf(text).catch(() => [])));
    return [...texts, ...cells.flat(2).filter((v) => typeof v === "string")].filter((text) => text.trim()).slice(0, 100);
  }

  onClick($("from-cell"), $("sources-status"), async (status) => {
    const turn = (looked += 1);
    const { address, formula } = await inExcel(async (context) => {
      const cell = context.workbook.getActiveCell();
      cell.load("address,formulas");
      await context.sync();
      return { address: cell.address, formula: String(cell.formulas[0][0]) };
    });
    const names = formula.startsWith("=") ? await namesIn(formula) : [formula].filter((text) => text.trim());
    const sources = await showSources(names, turn);
    if (sources) status.textContent = sources.length ? `${address}: ${sources.map((s) => s.name).join(", ")}.` : `${address} names no chip, model or runtime.`;
  });

  // --- names ---

  /** Rename the calls in all formulas; a cell that another one spills into has no formula of its own. */
  async function renameAll(separator) {
    return inExcel(async (context) => {
      const sheets = context.workbook.worksheets;
      sheets.load("items");
      await context.sync();
      const used = sheets.items.map((sheet) => sheet.getUsedRangeOrNullObject());
      for (const range of used) range.load("formulas,isNullObject");
      await context.sync();
      const changes = [];
      for (const range of used.filter((each) => !each.isNullObject)) {
        range.formulas.forEach((row, r) => row.forEach((formula, c) => {
          const renamed = renameCalls(formula, separator, MLSIM.names);
          if (renamed === formula) return;
          const cell = range.getCell(r, c);
          const parent = cell.getSpillParentOrNullObject();
          cell.load("address");
          parent.load("address,isNullObject");
          changes.push({ cell, parent, renamed });
        }));
      }
      await context.sync();
      const own = changes.filter(({ cell, parent }) => parent.isNullObject || parent.address === cell.address);
      for (const { cell, renamed } of own) cell.formulas = [[renamed]];
      await context.sync();
      return own.length;
    });
  }

  for (const [id, separator] of [["to-office", "."], ["to-classic", "_"]]) {
    onClick($(id), $("names-status"), async (status) => {
      status.textContent = "Renaming …";
      const n = await renameAll(separator);
      status.textContent = n ? `${counted(n, "formula")} now ${n === 1 ? "uses" : "use"} MLSIM${separator}X.` : "No formula needed another name.";
    });
  }

  // --- start ---

  function notice(text) {
    $("notice").textContent = text;
    $("notice").hidden = false;
  }

  async function start() {
    try {
      catalogue = await MLSIM.ask("names");
    } catch (failure) {
      return notice(failure.message);
    }
    $("version").textContent = catalogue.version;
    const functions = catalogue.functions.map((f) => ({ value: f.id, note: f.description }));
    combobox($("function"), functions, choose, true).set(catalogue.functions[0].id);
    choose(catalogue.functions[0].id);
    const names = [...catalogue.hardware, ...catalogue.model, ...catalogue.runtime].map((value) => ({ value }));
    const known = new Set(names.map((o) => o.value));
    combobox($("source-name"), names, (name) => known.has(name) && look(name));
    $("source-name").addEventListener("change", ({ target }) => {
      const name = target.value.trim();
      if (name && !known.has(name)) look(name); // another name of it, such as H100
    });
  }

  if (typeof Office === "undefined") notice("Office.js did not load: Excel's script comes from Microsoft, so a connection is needed.");
  else Office.onReady();
  start();
})();
