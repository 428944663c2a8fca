// Learning curves and task weights: means over final runs with a band of one standard error.

/** Mean and standard error (ddof 1) of each epoch over runs; runs that have no value there do not count. */
function summarize(runs, name) {
  const epochs = [...new Set(runs.flatMap((run) => run.epoch))].sort((a, b) => a - b);
  const at = new Map(epochs.map((epoch) => [epoch, []]));
  for (const run of runs) run.series[name]?.forEach((value, index) => { if (value !== null) at.get(run.epoch[index]).push(value); });
  const found = { x: [], mean: [], sem: [], n: [] };
  for (const [epoch, values] of at) {
    if (!values.length) continue;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    found.x.push(epoch);
    found.mean.push(mean);
    found.n.push(values.length);
    found.sem.push(values.length > 1 ? Math.sqrt(variance / values.length) : 0);
  }
  return found;
}

function bandAndLine(name, curve, { color, dash }, scale) {
  const at = (sign) => curve.mean.map((mean, index) => scale * (mean + sign * curve.sem[index]));
  const band = { x: [...curve.x, ...[...curve.x].reverse()], y: [...at(1), ...at(-1).reverse()], fill: "toself", fillcolor: faded(color, 0.16), line: { width: 0, color }, mode: "lines", hoverinfo: "skip", showlegend: false, legendgroup: name };
  const line = {
    x: curve.x, y: at(0), mode: curve.x.length > 1 ? "lines" : "markers", name: plain(short(name)), legendgroup: name, line: { color, dash, width: 2 }, marker: { color },
    customdata: curve.sem.map((sem, index) => [scale * sem, curve.n[index]]),
    hovertemplate: `${plain(name)}<br>epoch %{x}: %{y:.4~g} ± %{customdata[0]:.2~g} (%{customdata[1]} runs)<extra></extra>`,
  };
  return [band, line];
}

function singleRuns(runs, name, { color }, scale, group) {
  return runs.map((run) => ({
    x: run.epoch, y: (run.series[name] ?? []).map((value) => (value === null ? null : scale * value)), mode: "lines", line: { color: faded(color, 0.55), width: 1 }, showlegend: false, legendgroup: group,
    name: `seed ${run.seed}`, hovertemplate: `${plain(group)}, seed ${run.seed}<br>epoch %{x}: %{y:.4~g}<extra></extra>`, customdata: run.epoch.map(() => run.digest),
  }));
}

/** Rows of a table: an epoch each, a column a curve. */
function curveNumbers(named, scale) {
  return () => {
    const epochs = [...new Set(named.flatMap(([, curve]) => curve.x))].sort((a, b) => a - b);
    const rows = epochs.map((epoch) => [
      String(epoch),
      ...named.map(([, curve]) => {
        const index = curve.x.indexOf(epoch);
        return index < 0 ? "–" : `${number(scale * curve.mean[index])} ± ${number(scale * curve.sem[index], 2)}`;
      }),
    ]);
    return [["epoch", ...named.map(([name]) => name)], rows];
  };
}

/** Percent where the series is a metric that is a fraction. */
function unitOf(series) {
  const metric = data.metrics.find((found) => `validation ${found.name}` === series);
  return metric?.percent ? { scale: 100, label: `${series} (%)` } : { scale: 1, label: series };
}

const finalsOf = (all, setting, method) => all[setting]?.[method] ?? [];
const openRun = (point) => { if (typeof point.customdata === "string") choose({ run: point.customdata }); };

async function learningCurves() {
  const all = await loadCurves();
  const { scale, label } = unitOf(state.series);
  const lookOf = looks();
  return shownSettings().map((setting) => {
    const named = drawnMethods(setting)
      .map((method) => [method, summarize(finalsOf(all, setting, method), state.series)])
      .filter(([, curve]) => curve.x.length);
    const traces = named.flatMap(([method, curve]) => [
      ...bandAndLine(method, curve, lookOf(method), scale),
      ...(state.single ? singleRuns(finalsOf(all, setting, method), state.series, lookOf(method), scale, method) : []),
    ]);
    return { title: setting, traces, numbers: curveNumbers(named, scale), onClick: openRun, layout: { x: "epoch", y: plain(label), yaxis: state.log ? LOGARITHMIC : { type: "linear" } } };
  });
}

async function weightCurves() {
  const all = await loadCurves();
  return shownSettings().map((setting) => {
    const runs = finalsOf(all, setting, state.weight);
    const names = data.series.filter((name) => name.startsWith("weight "));
    const named = names.map((name) => [name.slice("weight ".length), summarize(runs, name)]).filter(([, curve]) => curve.x.length);
    const traces = named.flatMap(([task, curve], index) => bandAndLine(task, curve, look(index), 1));
    return { title: `${state.weight}, ${setting}`, traces, numbers: curveNumbers(named, 1), layout: { x: "epoch", y: "weight", yaxis: state.wlog ? LOGARITHMIC : { type: "linear" } } };
  });
}

function wireCurves() {
  byId("curve-series").addEventListener("change", (event) => choose({ series: event.target.value }));
  byId("curve-runs").addEventListener("change", (event) => choose({ single: event.target.checked ? "1" : "" }));
  byId("curve-log").addEventListener("change", (event) => choose({ log: event.target.checked ? "1" : "" }));
  byId("weight-method").addEventListener("change", (event) => choose({ weight: event.target.value }));
  byId("weight-log").addEventListener("change", (event) => choose({ wlog: event.target.checked ? "1" : "" }));
  document.querySelectorAll(".how-many").forEach((select) => select.addEventListener("change", (event) => choose({ many: event.target.value })));
}
