// Elements from plain values. Text is only ever text: nothing here or elsewhere reads markup from data.

function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && typeof value === "boolean") made[name] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

const byId = (id) => document.getElementById(id);

/** Put children in place of what is there; focus stays on the element of the same data-key. */
function replace(parent, ...children) {
  const held = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const scrolled = [...parent.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  parent.replaceChildren(...children);
  parent.querySelectorAll(".scroll").forEach((box, index) => { box.scrollLeft = scrolled[index] ?? 0; });
  if (held === undefined) return;
  const again = [...parent.querySelectorAll("[data-key]")].find((found) => found.dataset.key === held);
  if (again) again.focus({ preventScroll: true });
}

function options(select, values, chosen) {
  select.replaceChildren(...values.map(([value, text]) => el("option", { value }, text)));
  select.value = chosen;
}

/** A box that scrolls by itself and can be scrolled from the keyboard. */
function scrollBox(label, ...children) {
  return el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label }, ...children);
}

async function copyText(text, button) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", { readonly: true });
    area.value = text;
    (button.closest("dialog") ?? document.body).append(area);
    area.select();
    copied = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = button.textContent;
  button.textContent = copied ? "Copied" : "Not allowed";
  setTimeout(() => { button.textContent = label; }, 1500);
}

function commandLine(command) {
  const copy = el("button", { type: "button", "aria-label": `Copy: ${command}`, onclick: () => copyText(command, copy) }, "Copy");
  return el("div", { class: "command" }, el("code", { tabindex: 0 }, command), copy);
}
