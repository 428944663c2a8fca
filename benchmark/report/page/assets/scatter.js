// Search scores against the trial's number, and test metrics against cost.

const metricNamed = (name) => data.metrics.find((metric) => metric.name === name) ?? data.metrics[0];

function searchScores() {
  const metric = metricNamed(state.search);
  const scale = metric.percent ? 100 : 1;
  const lookOf = looks();
  return shownSettings().map((setting) => {
    const found = drawnMethods(setting).map((method) => {
      const arm = data.arms.find((each) => each.setting === setting && each.method === method);
      const trials = (arm?.trials ?? []).map((index, trial) => ({ trial, run: index < 0 ? null : data.runs[index], chosen: trial === arm.chosen }));
      return [method, trials.filter(({ run }) => run && run.validation[metric.name] !== undefined)];
    }).filter(([, trials]) => trials.length);
    const traces = found.map(([method, trials]) => {
      const { color, dash, symbol } = lookOf(method);
      return {
        x: trials.map(({ trial }) => trial), y: trials.map(({ run }) => scale * run.validation[metric.name]), name: plain(short(method)), mode: "lines+markers",
        line: { color: faded(color, 0.5), dash, width: 1 },
        marker: { color, symbol, size: trials.map(({ chosen }) => (chosen ? 14 : 7)), line: { color: colour("ink"), width: trials.map(({ chosen }) => (chosen ? 1.5 : 0)) } },
        customdata: trials.map(({ run }) => run.digest), text: trials.map(({ run, chosen }) => plain(`${hyperText(run)}${chosen ? ", chosen" : ""}`)),
        hovertemplate: `${plain(method)}, trial %{x}: %{y:.4~g}<br>%{text}<extra></extra>`,
      };
    });
    const rows = found.flatMap(([method, trials]) => trials.map(({ trial, run, chosen }) => [method, String(trial), metricText(metric, run.validation[metric.name]), chosen ? "chosen" : "", hyperText(run)]));
    return { title: setting, traces, numbers: () => [["method", "trial", metric.name, "", "hyper-parameters"], rows], onClick: openRun, layout: { x: "trial", y: plain(`validation ${metric.name}${metric.percent ? " (%)" : ""}`) } };
  });
}

const AXES = { step: ["seconds a training step", "step"], memory: ["peak memory (MiB)", "memory"], trials: ["search runs", "trials"] };

function costs() {
  const metric = metricNamed(state.cost);
  const scale = metric.percent ? 100 : 1;
  const [label, axis] = AXES[state.axis] ?? AXES.step;
  const methods = new Set(shownMethods());
  const lookOf = looks();
  return data.tables.filter((table) => isChosen("settings", table.setting)).map(({ setting, rows }) => {
    const found = rows.map((row) => ({ method: row.method, y: row.cells[`m:${metric.name}`], x: row.cells[axis] })).filter(({ method, x, y }) => methods.has(method) && Number.isFinite(x?.value) && Number.isFinite(y?.value));
    const traces = found.map(({ method, x, y }) => {
      const { color, symbol } = lookOf(method);
      return {
        x: [x.value], y: [scale * y.value], name: plain(short(method)), mode: "markers", marker: { color, symbol, size: 10 },
        error_y: { type: "data", array: [scale * (y.sem ?? 0)], color, thickness: 1, width: 3 },
        hovertemplate: `${plain(method)}<br>${plain(y.text)}<br>${label}: %{x:.3~g}<extra></extra>`,
      };
    });
    const numbers = () => [["method", metric.name, label], found.map(({ method, x, y }) => [method, y.text, x.text])];
    return { title: setting, traces, numbers, layout: { x: label, y: plain(`test ${metric.name}${metric.percent ? " (%)" : ""}`), xaxis: axis === "trials" ? { type: "linear" } : LOGARITHMIC } };
  });
}

function wireScatter() {
  byId("search-metric").addEventListener("change", (event) => choose({ search: event.target.value }));
  byId("cost-metric").addEventListener("change", (event) => choose({ cost: event.target.value }));
  byId("cost-axis").addEventListener("change", (event) => choose({ axis: event.target.value }));
}
