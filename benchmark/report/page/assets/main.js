// Draws the page, and after each choice the parts that depend on it.

let page = JSON.parse(byId("data").textContent);
let data = page; // what all share and, above it, the plan that is shown

function takePlan() {
  data = { ...page, ...(page.plans[Number(state.plan)] ?? page.plans[0]) };
}

const FIGURES = {
  curves: { keys: ["series", "single", "log", "many"], draw: () => drawFigures("curves", byId("curve-plots"), learningCurves) },
  weights: { keys: ["weight", "wlog"], draw: () => drawFigures("weights", byId("weight-plots"), weightCurves) },
  search: { keys: ["search", "many"], draw: () => drawFigures("search", byId("search-plots"), searchScores) },
  cost: { keys: ["cost", "axis"], draw: () => drawFigures("cost", byId("cost-plots"), costs) },
};
const COMMON = ["q", "settings", "methods", "metrics"];

function draw(changed) {
  if (changed.includes("plan")) return show();
  const any = (...keys) => keys.some((key) => changed.includes(key));
  if (any(...COMMON)) drawChoices();
  if (any("sort", "order", ...COMMON)) drawResults();
  if (any(...COMMON)) drawComparison();
  if (any("rq", "phase", "chosen", "rsort", "rorder", "page", ...COMMON)) drawRuns();
  if (any("run")) drawRecord();
  for (const figure of Object.values(FIGURES)) if (any("theme", ...figure.keys, ...COMMON)) figure.draw();
  return undefined;
}

/** Fill the menus with what there is; a choice that is not there falls back to the first. */
function drawMenus() {
  const metrics = data.metrics.map((metric) => [metric.name, metric.name]);
  const within = (pairs, value) => (pairs.some(([name]) => name === value) ? value : pairs[0]?.[0] ?? "");
  const series = data.series.map((name) => [name, name]);
  const methods = data.methods.filter((method) => data.weighted.includes(method)).map((name) => [name, name]);
  const weighted = state.weight || data.weighted.find((name) => name.startsWith("auxilearn")) || "";
  Object.assign(state, { series: within(series, state.series), search: within(metrics, state.search), cost: within(metrics, state.cost), weight: within(methods, weighted), axis: within(Object.entries(AXES), state.axis), many: within(MANY, state.many) });
  options(byId("plan"), page.plans.map((plan, index) => [String(index), plan.brief]), state.plan);
  byId("plan").parentElement.hidden = page.plans.length < 2;
  options(byId("curve-series"), series, state.series);
  options(byId("weight-method"), methods, state.weight);
  options(byId("search-metric"), metrics, state.search);
  options(byId("cost-metric"), metrics, state.cost);
  options(byId("cost-axis"), Object.entries(AXES).map(([key, [label]]) => [key, label]), state.axis);
  document.querySelectorAll(".how-many").forEach((select) => options(select, MANY, state.many));
  byId("curve-runs").checked = Boolean(state.single);
  byId("curve-log").checked = Boolean(state.log);
  byId("weight-log").checked = Boolean(state.wlog);
}

/** Where nothing is chosen the first of each menu is, and the address stays empty. */
function setDefaults() {
  takePlan();
  drawMenus();
  Object.assign(DEFAULTS, state);
}

function show() {
  if (!page.plans[Number(state.plan)]) state.plan = "0";
  takePlan();
  document.title = page.title;
  document.querySelector("h1").textContent = data.name;
  byId("sample").hidden = !data.sample;
  byId("caption").textContent = data.caption;
  byId("legend").textContent = data.legend;
  drawMenus();
  drawNotes();
  drawFacts();
  draw(Object.keys(DEFAULTS).filter((key) => key !== "plan"));
}

function wireTheme() {
  const menu = byId("theme");
  let kept = "auto";
  try { kept = localStorage.getItem("theme") ?? "auto"; } catch { /* a page of a file may have no storage */ }
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  menu.value = ["light", "dark"].includes(kept) ? kept : "auto";
  apply(menu.value);
  menu.addEventListener("change", () => {
    apply(menu.value);
    try { localStorage.setItem("theme", menu.value); } catch { /* not kept then */ }
    draw(["theme"]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(["theme"]));
}

/** Places on the page are gone to without the address losing what is chosen. */
function wirePlaces() {
  document.querySelectorAll("nav a, .skip").forEach((link) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const place = document.querySelector(link.getAttribute("href"));
      place.scrollIntoView();
      place.focus({ preventScroll: true });
    }),
  );
}

wireTheme();
wirePlaces();
wireChoices();
wireCurves();
wireScatter();
wireRuns();
wireRecord();
wireLive();
setDefaults();
readAddress();
show();
performance.mark("shown");
document.documentElement.dataset.shown = "";
watchSections();
addEventListener("hashchange", () => {
  if (location.hash && !location.hash.startsWith("#?")) return; // a place on the page
  readAddress();
  show();
});
