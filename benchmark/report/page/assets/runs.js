// The list of all runs, a page at a time; a run's digest opens its record.

const RUNS_A_PAGE = 50;

function number(value, digits = 4) {
  return value === null || value === undefined ? "–" : Number(value.toPrecision(digits)).toString();
}

function metricText(metric, value) {
  if (value === null || value === undefined) return "–";
  return metric.percent ? (100 * value).toFixed(2) : value.toFixed(3);
}

function runColumns() {
  const text = (key, label, value, help) => ({ key, label, help, text: true, value, cell: (run) => el("td", { class: "text long", title: value(run) }, String(value(run) ?? "–")) });
  const numeric = (key, label, value, shown, help, first = "up") => ({ key, label, help, first, value, cell: (run) => el("td", { class: value(run) === null ? "none" : "" }, shown(value(run))) });
  const digest = {
    key: "run", label: "run", text: true, value: (run) => run.digest, help: "identity of the run: a digest of its spec",
    cell: (run) => el("th", { scope: "row" }, el("button", { type: "button", class: "link", "data-key": `run ${run.digest}`, "aria-haspopup": "dialog", onclick: () => choose({ run: run.digest }) }, run.digest)),
  };
  const metrics = shownMetrics().flatMap((metric) => [
    numeric(`validation ${metric.name}`, `validation ${metric.name}`, (run) => run.validation[metric.name] ?? null, (value) => metricText(metric, value), "of the selected epoch", metric.higher ? "down" : "up"),
    numeric(`test ${metric.name}`, `test ${metric.name}`, (run) => run.test[metric.name] ?? null, (value) => metricText(metric, value), "of the selected epoch, final runs only", metric.higher ? "down" : "up"),
  ]);
  return [
    digest,
    text("method", "method", (run) => run.method),
    text("setting", "setting", (run) => run.setting),
    text("phase", "phase", (run) => run.phase),
    numeric("seed", "seed", (run) => run.seed, String),
    text("counts", "in table", (run) => (run.counts ? "yes" : "no"), "whether a table above or the search behind it uses the run"),
    text("status", "status", (run) => (run.reason ? `${run.status}: ${run.reason}` : run.status)),
    ...metrics,
    numeric("epoch", "epoch", (run) => run.epoch, (value) => value ?? "–", "the selected one"),
    numeric("step", "s/step", (run) => run.step_sec, number, "mean of a training step, seconds"),
    numeric("memory", "MiB", (run) => run.peak_mib, (value) => (value === null ? "–" : value.toFixed(0)), "on CUDA what was allocated, else the resident peak of the process"),
    text("hyper", "hyper-parameters", hyperText),
    text("finished", "finished (UTC)", (run) => run.finished),
  ];
}

function shownRuns() {
  const fits = runFilter(state.rq, data.runs);
  const methods = new Set(shownMethods());
  return data.runs.filter((run) => {
    if (state.phase && run.phase !== state.phase) return false;
    if (state.chosen && !(methods.has(run.method) && isChosen("settings", run.setting))) return false;
    return fits(run);
  });
}

function drawRuns() {
  const columns = runColumns();
  const found = sorted(shownRuns(), columns.find((column) => column.key === state.rsort), state.rorder);
  const pages = Math.max(1, Math.ceil(found.length / RUNS_A_PAGE));
  const page = Math.min(Math.max(1, Number.parseInt(state.page, 10) || 1), pages);
  const rows = found.slice((page - 1) * RUNS_A_PAGE, page * RUNS_A_PAGE);
  const table = sortableTable({
    id: "runs", caption: `${found.length} of ${data.runs.length} runs`, columns, rows, sort: { key: state.rsort, order: state.rorder },
    onSort: (rsort, rorder) => choose({ rsort, rorder, page: "1" }),
  });
  const go = (label, to, key) => el("button", { type: "button", "data-key": key, disabled: to < 1 || to > pages, onclick: () => choose({ page: String(to) }) }, label);
  const pager = el("div", { class: "pages" }, go("Previous", page - 1, "runs previous"), el("span", { role: "status" }, `page ${page} of ${pages}`), go("Next", page + 1, "runs next"));
  replace(byId("runs-table"), table, pager);
  if (document.activeElement !== byId("runs-query")) byId("runs-query").value = state.rq;
  byId("runs-phase").value = state.phase;
  byId("runs-choice").checked = Boolean(state.chosen);
}

function wireRuns() {
  byId("runs-query").addEventListener("input", (event) => choose({ rq: event.target.value, page: "1" }));
  byId("runs-phase").addEventListener("change", (event) => choose({ phase: event.target.value, page: "1" }));
  byId("runs-choice").addEventListener("change", (event) => choose({ chosen: event.target.checked ? "1" : "", page: "1" }));
}
