// Where the numbers are from: commits, versions, machines, dates, commands.

function drawFacts() {
  const facts = data.provenance.flatMap((fact) => [el("dt", {}, fact.label), el("dd", {}, fact.values.join(", "))]);
  const commands = data.commands.flatMap((fact) => [el("h3", {}, fact.label), commandLine(fact.command)]);
  replace(byId("facts"), el("dl", { class: "facts" }, ...facts), ...commands);
}
