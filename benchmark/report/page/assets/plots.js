// What all figures share: plotly in the page's colours, told apart by dash and mark as well as by colour.

/** In turn dark and pale, as lines of one dash are neighbours here: they differ without colour too. */
const HUES = {
  light: ["#084c86", "#d2600e", "#00523f", "#b8628f", "#5a4300", "#787d85", "#8a6fd1"],
  dark: ["#4a9be8", "#ffb38a", "#1fae87", "#f5c3de", "#bb8f1c", "#dfe2e6", "#cbbdfb"],
};
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down", "cross"];

/** A logarithmic axis with few numbers, all written out; plotly's own are single digits between the powers of ten. */
const LOGARITHMIC = { type: "log", nticks: 4, tickformat: "~g" };

const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark" || (getComputedStyle(document.documentElement).colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

/** Neighbours differ in hue, dash and mark; the first 42 in hue or dash, the first 56 in hue or mark. */
function look(index) {
  const hues = HUES[isDark() ? "dark" : "light"];
  return { color: hues[index % hues.length], dash: DASHES[index % DASHES.length], symbol: SYMBOLS[index % SYMBOLS.length] };
}

/** A method looks the same in all figures; those that the curves show come first. */
function looks() {
  const order = [...new Set([...shownSettings().flatMap(drawnMethods), ...data.methods])];
  return (method) => look(order.indexOf(method));
}
const faded = (color, part) => color + Math.round(255 * part).toString(16).padStart(2, "0");

function colour(name) {
  const probe = el("span", { hidden: true });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function layout(changes) {
  const [ink, quiet, line, paper] = ["ink", "quiet", "line", "paper"].map(colour);
  const axis = { gridcolor: line, linecolor: line, zeroline: false, automargin: true, tickcolor: line, ticks: "outside", ticklen: 4 };
  const titled = (own, other) => ({ ...axis, ...other, title: { text: own, font: { color: quiet, size: 13 }, standoff: 8 } });
  const { x, y, xaxis, yaxis, ...others } = changes;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: ink },
    margin: { l: 10, r: 10, t: 10, b: 10 }, hovermode: "closest",
    hoverlabel: { bgcolor: paper, bordercolor: quiet, font: { color: ink } },
    legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", x: 0, font: { size: 12 }, itemwidth: 30, maxheight: 1 },
    xaxis: titled(x, xaxis), yaxis: titled(y, yaxis), ...others,
  };
}

// Names go into plotly with what it reads as markup taken out of their letters.
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Names that are equal in their first letters stay apart; legends have little room. */
const short = (text) => (text.length > 28 ? `${text.slice(0, 20)}…${text.slice(-7)}` : text);

const visible = new Set(); // sections that are drawn from now on

/**
 * Draw figures into a section once it is its turn. make() returns [{title, traces, layout, numbers, onClick}];
 * it is asked again at every change of what is chosen.
 */
function drawFigures(section, holder, make) {
  if (!visible.has(section)) return;
  holder.turn = (holder.turn ?? 0) + 1;
  const turn = holder.turn;
  line = line.then(() => (holder.turn === turn ? drawNow(section, holder, make, turn) : undefined));
}

let line = Promise.resolve(); // figures are drawn one after the other: the first are there sooner

async function drawNow(section, holder, make, turn) {
  let figures;
  try {
    await loadPlotly();
    figures = (await make()).filter((figure) => figure.traces.length);
  } catch (error) {
    holder.replaceChildren(el("p", { class: "quiet" }, `Nothing can be drawn: ${error.message}`));
    return;
  }
  if (holder.turn !== turn) return; // something else was chosen meanwhile
  if (state.plan !== holder.dataset.plan) holder.replaceChildren(); // axes of another plan are not to be kept
  holder.dataset.plan = state.plan;
  const kept = [...holder.querySelectorAll("figure")];
  const wanted = figures.map((figure) => figure.title);
  if (!kept.length || kept.length !== wanted.length || kept.some((found, index) => found.dataset.title !== wanted[index])) {
    kept.forEach((found) => Plotly.purge(found.querySelector(".plot")));
    holder.replaceChildren(...(figures.length ? figures.map(frame) : [el("p", { class: "quiet" }, "There is nothing to draw for this choice.")]));
  }
  for (const [index, found] of [...holder.querySelectorAll("figure")].entries()) await fill(found, figures[index]);
  holder.dataset.drawn = String(turn);
  performance.mark(`drawn ${section}`);
}

function frame({ title }) {
  const plot = el("div", { class: "plot", role: "group", "aria-label": `${title}; its numbers are below` });
  const numbers = el("details", {}, el("summary", {}, "Numbers"));
  return el("figure", { "data-title": title }, el("figcaption", {}, title), plot, numbers);
}

async function fill(figure, wanted) {
  const plot = figure.querySelector(".plot");
  const buttons = matchMedia("(hover: hover)").matches ? "hover" : false;
  const config = { displaylogo: false, responsive: true, displayModeBar: buttons, modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };
  const names = wanted.traces.filter((trace) => trace.showlegend !== false).map((trace) => trace.name);
  const entrywidth = 7 * Math.max(8, ...names.map((name) => name.length)); // pixels, about
  const across = Math.max(1, Math.floor((plot.clientWidth - 20) / (entrywidth + 45)));
  plot.style.height = `${20 + 1.25 * Math.ceil(names.length / across)}rem`;
  const made = layout(wanted.layout);
  await Plotly.react(plot, wanted.traces, { ...made, legend: { ...made.legend, entrywidth } }, config);
  plot.removeAllListeners("plotly_click");
  if (wanted.onClick) plot.on("plotly_click", (event) => wanted.onClick(event.points[0]));
  const details = figure.querySelector("details");
  const write = () => {
    details.querySelectorAll(".scroll").forEach((found) => found.remove());
    if (details.open) details.append(plainTable(wanted.title, ...wanted.numbers()));
  };
  details.ontoggle = write;
  write();
}

/** Draw a section that is not drawn yet. */
function reveal(id) {
  if (visible.has(id)) return;
  visible.add(id);
  FIGURES[id].draw();
}

/** Sections are drawn when they come near the view, else one by one while nothing else is to do, or all for a print. */
function watchSections() {
  const ids = Object.keys(FIGURES);
  const seen = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      seen.unobserve(entry.target);
      reveal(entry.target.id);
    }),
    { rootMargin: "100px" },
  );
  ids.forEach((id) => seen.observe(byId(id)));
  const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 200));
  const next = () => {
    const id = ids.find((each) => !visible.has(each));
    if (id === undefined) return;
    reveal(id);
    line.then(() => idle(next));
  };
  idle(next);
  addEventListener("beforeprint", () => ids.forEach(reveal));
}

const MANY = [["6", "the best 6 of those chosen"], ["12", "the best 12 of those chosen"], ["all", "all chosen"]];

/** The methods that figures of a setting show: of those chosen, the best ones by the metric that selects. */
function drawnMethods(setting) {
  const key = `m:${data.metrics[0].name}`;
  const table = data.tables.find((found) => found.setting === setting);
  const methods = new Set(shownMethods());
  const rows = (table?.rows ?? []).filter((row) => methods.has(row.method));
  const ranked = sorted(rows, { value: (row) => row.cells[key]?.value }, data.metrics[0].higher ? "down" : "up").map((row) => row.method);
  const kept = new Set(state.many === "all" ? ranked : ranked.slice(0, Number(state.many)));
  return data.methods.filter((name) => kept.has(name));
}
