// The choice of methods, settings and metrics that the whole page follows.

function choiceBox(list, label, names) {
  const holder = byId(`choice-${list}`);
  const open = holder.querySelector("details")?.open ?? false;
  const toggle = (name, on) => {
    const kept = names.filter((other) => (other === name ? on : isChosen(list, other)));
    choose({ [list]: kept.length === names.length ? null : kept });
  };
  const boxes = names.map((name) =>
    el(
      "label",
      {},
      el("input", { type: "checkbox", checked: isChosen(list, name), "data-key": `${list} ${name}`, onchange: (event) => toggle(name, event.target.checked) }),
      el("span", {}, name),
    ),
  );
  const count = names.filter((name) => isChosen(list, name)).length;
  const both = el(
    "p",
    {},
    el("button", { type: "button", "data-key": `${list} all`, onclick: () => choose({ [list]: null }) }, "All"),
    el("button", { type: "button", "data-key": `${list} none`, onclick: () => choose({ [list]: [] }) }, "None"),
  );
  const details = el(
    "details",
    { class: "choice", open },
    el("summary", { "data-key": `${list} summary` }, `${label}: ${count === names.length ? "all" : `${count} of ${names.length}`}`),
    el("fieldset", {}, el("legend", {}, label), both, ...boxes),
  );
  replace(holder, details);
}

function drawChoices() {
  choiceBox("settings", "Settings", data.settings);
  choiceBox("methods", "Methods", data.methods);
  choiceBox("metrics", "Metrics", data.metrics.map((metric) => metric.name));
  if (document.activeElement !== byId("query")) byId("query").value = state.q;
  byId("shown").textContent = `${shownMethods().length} of ${data.methods.length} methods shown`;
}

function closeOpenChoices(event) {
  for (const details of document.querySelectorAll("details.choice[open]")) {
    const inside = event.composedPath().includes(details.parentNode); // what was pressed may be drawn anew by now
    if (event.type === "keydown" ? event.key === "Escape" && inside : !inside) {
      details.open = false;
      if (event.type === "keydown") details.querySelector("summary").focus();
    }
  }
}

function wireChoices() {
  byId("plan").addEventListener("change", (event) => choose({ plan: event.target.value, settings: null, methods: null, metrics: null }));
  byId("query").addEventListener("input", (event) => choose({ q: event.target.value }));
  byId("reset").addEventListener("click", () => choose({ ...DEFAULTS }));
  document.addEventListener("click", closeOpenChoices);
  document.addEventListener("keydown", closeOpenChoices);
}
