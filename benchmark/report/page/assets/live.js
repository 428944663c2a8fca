// A served page asks whether there are new records, and takes them in without losing what the reader chose.

const EVERY_MS = 2000;

async function ask() {
  const line = byId("live");
  try {
    const { version, progress } = await (await fetch("/version", { cache: "no-store" })).json();
    if (version !== page.version) {
      const { shown, packs } = await (await fetch("/data", { cache: "no-store" })).json();
      page = shown;
      packed = packs;
      curves = null;
      show();
    }
    line.classList.remove("lost");
    line.textContent = `Live: ${progress}`;
  } catch {
    line.classList.add("lost");
    line.textContent = "The server has stopped; this is what it last sent.";
  }
  setTimeout(ask, EVERY_MS);
}

function wireLive() {
  if (!page.live) return;
  byId("live").hidden = false;
  byId("live").textContent = `Live: ${page.progress}`;
  setTimeout(ask, EVERY_MS);
}
