/* MLSIM's custom functions: all calls of one calculation go to the server in one request. */
const MLSIM = (() => {
  "use strict";

  const WAIT = 20; // milliseconds: Excel hands over the calls of a calculation in several goes
  const MOST_CALLS = 10000;
  const MOST_CHARACTERS = 2e6; // of a request: at three bytes each still below the server's limit
  const SILENT = "MLSIM's server does not answer: start `mlsim serve`.";
  const ERRORS = {
    "#VALUE!": "invalidValue",
    "#N/A": "notAvailable",
    "#NUM!": "invalidNumber",
    "#DIV/0!": "divisionByZero",
    "#REF!": "invalidReference",
    "#NAME?": "invalidName",
    "#NULL!": "nullReference",
  };
  const token = document.querySelector('meta[name="mlsim-token"]').content;

  // --- the server ---

  /** Ask the server; a refusal and a silence are errors whose message is a sentence. */
  async function ask(path, { body, type = "application/json", signal } = {}) {
    const headers = { "X-Mlsim-Token": token };
    if (body !== undefined) headers["Content-Type"] = type;
    let response;
    try {
      response = await fetch(path, {
        method: body === undefined ? "GET" : "POST",
        headers,
        body,
        signal,
        cache: "no-store",
        credentials: "omit",
        mode: "same-origin",
      });
    } catch {
      throw new Error(SILENT);
    }
    const answer = await response.json().catch(() => null);
    if (response.ok && answer) return answer;
    throw new Error(answer?.error || `MLSIM's server answered with status ${response.status}.`);
  }

  // --- cells ---

  /** Return a cell as the server reads it; an error object becomes its code. */
  function cell(value) {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) return value.map(cell);
    if (typeof value === "object") return { error: value.code ?? value.basicValue ?? "#VALUE!" };
    return value;
  }

  const isError = (value) => value !== null && typeof value === "object" && "error" in value;

  function excelError(code, message) {
    return new CustomFunctions.Error(CustomFunctions.ErrorCode[ERRORS[code] ?? "invalidValue"], message);
  }

  /** Return a result as Excel takes it: always rows of cells; an error within them stands in its own cell. */
  function rows(result) {
    const shown = (value) => (isError(value) ? excelError(value.error, value.message) : value);
    return Array.isArray(result) ? result.map((row) => row.map(shown)) : [[result]];
  }

  // --- the queue ---

  let queue = [];

  /** Return the promise of a function's result. */
  function call(name, cells, invocation) {
    return new Promise((resolve, reject) => {
      const item = { text: JSON.stringify([`MLSIM_${name}`, cells.map(cell)]), resolve, reject };
      if (invocation) invocation.onCanceled = () => cancel(item);
      if (queue.push(item) === 1) setTimeout(flush, WAIT);
    });
  }

  function cancel(item) {
    if (item.cancelled) return;
    item.cancelled = true;
    item.reject(excelError("#N/A", "Cancelled."));
    if (item.batch && (item.batch.left -= 1) === 0) item.batch.control.abort();
  }

  function flush() {
    const waiting = queue.filter((item) => !item.cancelled);
    queue = [];
    for (let start = 0, end; start < waiting.length; start = end) {
      let size = 0;
      for (end = start; end < waiting.length && end - start < MOST_CALLS; end += 1) {
        size += waiting[end].text.length;
        if (size > MOST_CHARACTERS && end > start) break;
      }
      send(waiting.slice(start, end));
    }
  }

  async function send(items) {
    const batch = { left: items.length, control: new AbortController() };
    for (const item of items) item.batch = batch;
    const body = `{"calls":[${items.map((item) => item.text).join()}]}`;
    try {
      const { results } = await ask("calculate", { body, signal: batch.control.signal });
      items.forEach((item, i) => settle(item, results[i]));
    } catch (failure) {
      const code = failure.message === SILENT ? "#N/A" : "#VALUE!";
      for (const item of items) item.reject(excelError(code, failure.message));
    }
  }

  function settle(item, result) {
    if (isError(result)) item.reject(excelError(result.error, result.message));
    else item.resolve(rows(result));
  }

  // --- Excel ---

  /** Return what Excel calls: arguments are rows of cells, or null; then comes the invocation, an object. */
  function implementation(name, [count, repeats]) {
    return (...given) => {
      const last = given[given.length - 1];
      const invocation = last && !Array.isArray(last) ? given.pop() : undefined;
      const cells = given.slice(0, count);
      if (repeats && cells.length === count) cells.push(...(cells.pop() ?? []));
      return call(name, cells, invocation);
    };
  }

  function associate() {
    for (const [name, shape] of Object.entries(MLSIM_FUNCTIONS)) {
      CustomFunctions.associate(name, implementation(name, shape));
    }
  }

  if (typeof CustomFunctions !== "undefined") associate();
  else if (typeof Office !== "undefined") Office.onReady(associate);

  return { ask, cell, isError, names: Object.keys(MLSIM_FUNCTIONS) };
})();
