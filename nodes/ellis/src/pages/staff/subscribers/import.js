import { sendFile } from "../../api.js";
import { button, el, field, form, table } from "../elements.js";

const PATH = "/staff/subscriber-import";

/** Subscribers of a CSV file: judged first, then written, all or none. */
export async function openImport(root, portal) {
  const limits = await portal.ask("GET", PATH);
  const mebibytes = Math.floor(limits.max_bytes / 1_048_576);
  const file = field(
    "CSV file",
    el("input", { type: "file", accept: ".csv,text/csv", required: true }),
    `The first row names the columns: ${limits.columns.join(", ")}. Several values of impu and barred are separated by spaces. At most ${mebibytes} MiB and ${limits.max_rows} rows.`,
  );
  const report = el("div", { "aria-live": "polite" });
  const checking = form(
    portal,
    () => run(true),
    file.element,
    el("button", { type: "submit" }, "Check it, change nothing"),
  );
  root.append(el("h2", {}, "Import a file"), checking, report);
  file.input.addEventListener("change", () => report.replaceChildren());

  async function run(dryRun) {
    const [chosen] = file.input.files;
    if (chosen === undefined) return "Choose a file first.";
    if (chosen.size > limits.max_bytes) {
      const problem = `The file is larger than ${mebibytes} MiB; split it.`;
      file.judge(problem);
      return problem;
    }
    file.judge(undefined);
    portal.say(dryRun ? "Checking the file." : "Importing the file.");
    const answer = await sendFile(`${PATH}?dry_run=${dryRun}`, "text/csv", chosen);
    show(answer, dryRun);
    return wordsFor(answer, dryRun);
  }

  function show({ wrong, rows, errors }, dryRun) {
    report.replaceChildren();
    if (errors.length > 0)
      report.append(
        el(
          "p",
          {},
          `Nothing was written. ${wrong} rows are wrong${wrong > errors.length ? "; the first ones" : ""}:`,
        ),
        table(
          "Rows that are wrong",
          ["Row", "Column", "Private identity", "What is wrong"],
          errors.map(({ row, column, impi, error }) => [String(row), column ?? "", impi, error]),
        ),
      );
    else if (dryRun && rows > 0)
      report.append(button("Import it now", () => void portal.attempt(() => run(false))));
  }
}

function wordsFor({ rows, applied, unchanged, wrong }, dryRun) {
  if (wrong > 0) return `${rows} rows, ${wrong} wrong; nothing was written.`;
  const there = unchanged === 0 ? "" : `, ${unchanged} of them there already`;
  return dryRun
    ? `${rows} rows, all good${there}; nothing was written yet.`
    : `${applied} subscribers added${there}.`;
}
