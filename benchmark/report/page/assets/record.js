// A run's full record in a dialog, as text.

/** JSON with a line a value, lists of plain values on one line. */
function pretty(value, indent = "") {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every((item) => item === null || typeof item !== "object")) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    return `[\n${value.map((item) => inner + pretty(item, inner)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value);
  if (!entries.length) return "{}";
  return `{\n${entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${pretty(item, inner)}`).join(",\n")}\n${indent}}`;
}

let opener = null;

async function showRecord(digest) {
  const run = data.runs.find((found) => found.digest === digest);
  if (!run) return;
  const dialog = byId("record");
  if (!dialog.open) opener = document.activeElement;
  byId("record-title").textContent = `${run.method}, ${run.setting}, ${run.phase} run, seed ${run.seed}`;
  byId("record-about").textContent = run.file ? `Run ${digest}, line ${run.line} of ${run.file}` : `Run ${digest}`;
  byId("record-text").textContent = "Unpacking …";
  if (!dialog.open) dialog.showModal();
  let text;
  try {
    const record = await loadRecord(digest);
    text = record ? pretty(record) : `This run is not among those that fit into the page. Its record:\n\nsed -n ${run.line}p ${run.file}`;
  } catch (error) {
    text = `The record cannot be shown: ${error.message}`;
  }
  if (state.run === digest) byId("record-text").textContent = text;
}

function drawRecord() {
  if (state.run) showRecord(state.run);
  else if (byId("record").open) byId("record").close();
}

function wireRecord() {
  const dialog = byId("record");
  dialog.addEventListener("close", () => {
    choose({ run: "" });
    const key = opener?.dataset?.key;
    const again = key && [...document.querySelectorAll("[data-key]")].find((found) => found.dataset.key === key);
    (again || opener)?.focus?.();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  byId("record-copy").addEventListener("click", (event) => copyText(byId("record-text").textContent, event.currentTarget));
}
