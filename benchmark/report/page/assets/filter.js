// The filter of the list of runs: name=value is exact, so is the name of a method or setting; other words are parts.

const hyperText = (run) => Object.entries(run.hyper).map(([name, value]) => `${name}=${value}`).join(", ");

/** What a word name=value can ask of a run; a name may stand here twice. */
const fieldsOf = (run) => [
  ["run", run.digest], ["method", run.method], ["setting", run.setting], ["phase", run.phase], ["seed", run.seed], ["status", run.status],
  ...Object.entries(run.hyper),
];

/** Words of a query in small letters, without the commas between them; quotes hold blanks and commas together. */
function wordsOf(query) {
  const words = query.toLowerCase().match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
  return words.map((word) => word.replace(/,+$/, "").replaceAll('"', "")).filter(Boolean);
}

/** Numbers are the same however they are written: 1e-3 is 0.001. */
function sameValue(wanted, value) {
  const text = String(value).toLowerCase();
  return text === wanted || (wanted.trim() !== "" && text.trim() !== "" && Number(wanted) === Number(text));
}

function runFilter(query, runs) {
  const names = new Set(runs.flatMap((run) => [run.method.toLowerCase(), run.setting.toLowerCase()]));
  const tests = wordsOf(query).map((word) => {
    const sign = word.indexOf("=");
    if (names.has(word)) return (run) => [run.method, run.setting].some((name) => name.toLowerCase() === word);
    if (sign < 1) return (run) => textOf(run).includes(word);
    const [wanted, value] = [word.slice(0, sign), word.slice(sign + 1)];
    return (run) => fieldsOf(run).some(([name, found]) => name.toLowerCase() === wanted && sameValue(value, found));
  });
  return (run) => tests.every((test) => test(run));
}

const textOf = (run) => `${run.digest} ${run.method} ${run.setting} ${run.phase} seed=${run.seed} ${run.status} ${run.reason} ${hyperText(run)} ${run.finished}`.toLowerCase();
