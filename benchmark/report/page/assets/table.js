// Tables whose columns sort: a button in each header, aria-sort on it, rows without a value last.

/** Order rows by a column; sorting is stable, and null, NaN and absent values come last either way. */
function sorted(rows, column, order) {
  if (!column) return rows;
  const sign = order === "down" ? -1 : 1;
  const absent = (value) => value === null || value === undefined || Number.isNaN(value) || value === "";
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (absent(x) || absent(y)) return absent(x) - absent(y);
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}

/**
 * columns: {key, label, help, text (left-aligned), first ("up" or "down"), value(row), cell(row) -> td or th}
 * sort: {key, order}; onSort(key, order)
 */
function sortableTable({ caption, columns, rows, sort, onSort, id, heading = false }) {
  const current = columns.find((column) => column.key === sort.key);
  const head = columns.map((column) => {
    const order = column === current ? sort.order : "none";
    const first = column.first ?? "up";
    const next = order === "none" ? first : order === "up" ? "down" : "up";
    const button = el(
      "button",
      { type: "button", title: column.help, "data-key": `${id} ${column.key}`, onclick: () => onSort(column.key, next) },
      column.label,
    );
    const heard = { none: "none", up: "ascending", down: "descending" }[order];
    return el("th", { scope: "col", class: column.text ? "text" : "", "aria-sort": heard }, button);
  });
  const body = sorted(rows, current, sort.order).map((row) => el("tr", {}, ...columns.map((column) => column.cell(row))));
  return scrollBox(
    caption,
    el(
      "table",
      { class: "sticky" },
      el("caption", { class: heading ? "heard" : "" }, caption), // a heading above says it to the eye
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...body),
    ),
  );
}

/** A table of text as it is. */
function plainTable(caption, head, rows) {
  const [first, ...others] = head;
  return scrollBox(
    caption,
    el(
      "table",
      { class: "sticky" },
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "text" }, first), ...others.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...rows.map(([name, ...cells]) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((cell) => el("td", {}, cell))))),
    ),
  );
}
