// What the page carries compressed: curves, records and plotly; each is unpacked when it is first needed.

async function inflate(base64) {
  if (typeof DecompressionStream === "undefined") throw new Error("this browser cannot unpack the page's data; use a newer one");
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

/** Give back numbers that were written as the shortest text of a float32. */
function revive(_, value) {
  return value && typeof value === "object" && Array.isArray(value.f32) ? value.f32.map((number) => (number === null ? null : Math.fround(number))) : value;
}

let packed = null; // {curves, records}
let curves = null;
let library = null;

function packedData() {
  packed ??= JSON.parse(byId("packed").textContent);
  return packed;
}

async function loadCurves() {
  curves ??= inflate(packedData().curves).then(JSON.parse);
  return (await curves)[Number(state.plan)];
}

async function loadPlotly() {
  library ??= inflate(byId("plotly").textContent).then((text) => {
    const script = document.createElement("script");
    script.textContent = text; // the policy in the head lets this very text run, and no other
    document.head.append(script);
    return window.Plotly;
  });
  return library;
}

/** Return the full record of a run, or null where the page does not carry it. */
async function loadRecord(digest) {
  if (page.live) {
    const answer = await fetch(`/record/${digest}`);
    return answer.ok ? answer.json() : null;
  }
  const text = packedData().records[digest];
  return text ? JSON.parse(await inflate(text), revive) : null;
}
