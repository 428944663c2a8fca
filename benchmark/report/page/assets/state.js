// What the reader chose, kept in the address so that a view can be shared and outlives a refresh.

const DEFAULTS = {
  plan: "0", q: "", settings: null, methods: null, metrics: null, sort: "", order: "",
  series: "", many: "6", single: "", log: "", weight: "", wlog: "", search: "", cost: "", axis: "step",
  rq: "", phase: "", chosen: "", rsort: "", rorder: "", page: "1", run: "",
};
const LISTS = ["settings", "methods", "metrics"]; // null: all
const state = { ...DEFAULTS };

function readAddress() {
  const given = new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
  for (const key of Object.keys(DEFAULTS)) {
    if (LISTS.includes(key)) state[key] = given.has(key) ? given.getAll(key).filter(Boolean) : null;
    else state[key] = given.get(key) ?? DEFAULTS[key];
  }
}

function writeAddress() {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (Array.isArray(value)) (value.length ? value : [""]).forEach((name) => parameters.append(key, name));
    else if (value !== DEFAULTS[key]) parameters.set(key, value);
  }
  const text = parameters.toString();
  if (text || location.hash.startsWith("#?")) history.replaceState(null, "", text ? `#?${text}` : "#");
}

/** Change what is chosen and draw what depends on it. */
function choose(changes) {
  Object.assign(state, changes);
  draw(Object.keys(changes));
  writeAddress();
}

const isChosen = (list, name) => state[list] === null || state[list].includes(name);
const shownSettings = () => data.settings.filter((name) => isChosen("settings", name));
const shownMetrics = () => data.metrics.filter((metric) => isChosen("metrics", metric.name));

function shownMethods() {
  const query = state.q.trim().toLowerCase();
  return data.methods.filter((name) => isChosen("methods", name) && name.toLowerCase().includes(query));
}
