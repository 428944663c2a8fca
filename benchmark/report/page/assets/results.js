// The table of each setting, its notes with the commands that fill missing cells, and the comparisons.

function shownColumns() {
  return data.columns.filter((column) => !column.metric || isChosen("metrics", column.metric));
}

function resultCell(column, row) {
  if (column.key === "method") return el("th", { scope: "row", title: row.method }, row.method);
  const cell = row.cells[column.key];
  if (!cell) return el("td", { class: "none" }, "–");
  const signs = [];
  if (cell.best) signs.push(el("span", { class: "sign", title: "best of the setting" }, "★"));
  if (cell.tie) signs.push(el("span", { class: "sign", title: "not told apart from the best" }, "≈"));
  const marks = (cell.notes ?? []).map((number) => el("sup", {}, el("a", { href: `#note-${number}`, "data-note": number, onclick: goToNote }, `[${number}]`)));
  return el("td", { class: [cell.best && "best", cell.value === null && "none"].filter(Boolean).join(" ") }, cell.text, ...signs, ...marks);
}

/** Go to a note without the address losing what is chosen. */
function goToNote(event) {
  event.preventDefault();
  const note = byId(`note-${event.currentTarget.dataset.note}`);
  note.scrollIntoView({ block: "center" });
  note.focus({ preventScroll: true });
}

function resultColumns() {
  const first = { key: "method", label: "method", text: true, value: (row) => row.method };
  const others = shownColumns().map((column) => ({ ...column, first: column.higher ? "down" : "up", value: (row) => row.cells[column.key]?.value }));
  return [first, ...others].map((column) => ({ ...column, cell: (row) => resultCell(column, row) }));
}

function drawResults() {
  const methods = new Set(shownMethods());
  const columns = resultColumns();
  const tables = data.tables.filter((table) => isChosen("settings", table.setting)).map((table) => {
    const rows = table.rows.filter((row) => methods.has(row.method));
    return el(
      "div",
      { "data-setting": table.setting },
      el("h3", {}, table.setting),
      rows.length
        ? sortableTable({
            id: table.setting,
            heading: true,
            caption: `${data.name}, ${table.setting}`,
            columns,
            rows,
            sort: { key: state.sort, order: state.order },
            onSort: (sort, order) => choose({ sort, order }),
          })
        : el("p", { class: "quiet" }, "No method fits the filter."),
    );
  });
  replace(byId("tables"), ...(tables.length ? tables : [el("p", { class: "quiet" }, "No setting is chosen.")]));
}

function drawNotes() {
  const notes = data.notes.map((note) =>
    el("li", { id: `note-${note.number}`, value: note.number, tabindex: -1 }, note.text, note.command ? commandLine(note.command) : ""),
  );
  replace(byId("notes"), notes.length ? el("ol", { class: "notes" }, ...notes) : "");
}

function drawComparison() {
  const holder = byId("comparison");
  const open = holder.querySelector("details")?.open ?? false;
  const methods = new Set(shownMethods());
  const { caption, tables } = data.comparison;
  const parts = tables
    .filter((table) => isChosen("settings", table.setting))
    .map((table) => {
      const place = table.head.indexOf("method");
      return plainTable(`Differences from the reference methods, ${table.setting}`, table.head, table.rows.filter((row) => methods.has(row[place])));
    });
  if (!parts.length) return replace(holder);
  const summary = el("summary", { "data-key": "comparison" }, "Every method against the reference methods");
  return replace(holder, el("details", { open }, summary, el("p", { class: "quiet" }, caption), ...parts));
}
