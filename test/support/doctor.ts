import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { catalogue, type DiagnosisId } from "@ims/doctor";
import { main } from "@ims/tidewater";

/** What `tidewater doctor --json` prints. */
export interface DoctorAnswer {
  readonly key: string;
  readonly well: boolean;
  readonly problems: readonly string[];
  readonly subjects: readonly {
    readonly identity: string;
    readonly hss: string;
    readonly subscriber?: { readonly impi: string };
    readonly registrations?: readonly { readonly bindings: readonly unknown[] }[];
  }[];
  readonly diagnoses: readonly ShownDiagnosis[];
  readonly exchanges: readonly {
    readonly method: string;
    readonly outcome: string;
    readonly failed: boolean;
    readonly callIds: readonly string[];
    readonly rungs: readonly unknown[];
    readonly diagnoses: readonly ShownDiagnosis[];
  }[];
}

export interface ShownDiagnosis {
  readonly id: DiagnosisId;
  readonly severity: string;
  readonly said: string;
  readonly over: boolean;
  readonly likely: boolean;
  readonly evidence: readonly { readonly node: string; readonly title: string }[];
}

// Each run of the program listens for the end of its reader.
process.stdout.setMaxListeners(0);

/** Runs `tidewater doctor` in this process: what it prints, and its exit code. */
export async function runDoctor(
  t: TestContext,
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const lines: string[] = [];
  const errors: string[] = [];
  const log = t.mock.method(console, "log", (line: string) => void lines.push(line));
  const write = t.mock.method(process.stderr, "write", (text: string) => errors.push(text) > 0);
  try {
    const exitCode = await main(["doctor", ...args]);
    return { exitCode, stdout: lines.join("\n"), stderr: errors.join("") };
  } finally {
    log.mock.restore();
    write.mock.restore();
  }
}

/** What the doctor has said of wrong set-ups of this process. */
const produced = new Set<string>();

/** A diagnosis that a wrong set-up has produced, as a test wants it: the output of the tests has its words, once. */
export function noteProduced(t: TestContext, { id, said }: Pick<ShownDiagnosis, "id" | "said">): void {
  if (!produced.has(id)) t.diagnostic(`${id}: ${said}`);
  produced.add(id);
}

/** The last test of a file: each diagnosis that the file names was said by the doctor of a running core, while it ran. */
export function testsProduceWhatTheyName(
  file: string,
  { skip = false }: { readonly skip?: string | false } = {},
): void {
  test("each diagnosis that these tests name was said by the doctor", { skip }, () => {
    const named = new Set(
      [...readFileSync(file, "utf8").matchAll(/"([a-z][a-z0-9-]+)"/g)].map(([, id]) => id),
    );
    const missing = Object.keys(catalogue).filter((id) => named.has(id) && !produced.has(id));
    assert.deepEqual(missing, []);
  });
}

/** A core that the doctor is asked about. */
export interface ExaminedCore {
  readonly stateDir: string;
}

/** What the doctor says of a subscriber or a call. */
export async function askDoctor(
  t: TestContext,
  { stateDir }: ExaminedCore,
  key: string,
  ...more: readonly string[]
): Promise<DoctorAnswer & { readonly exitCode: number }> {
  const { exitCode, stdout, stderr } = await runDoctor(t, [key, "--json", "--state-dir", stateDir, ...more]);
  assert.match(stdout, /^\{/, stderr);
  return { ...(JSON.parse(stdout) as DoctorAnswer), exitCode };
}

/** Asserts what the doctor says of one registration or call, and that it says nothing else. */
export async function assertDiagnosed(
  t: TestContext,
  core: ExaminedCore,
  callId: string,
  expected: readonly DiagnosisId[],
): Promise<ShownDiagnosis | undefined> {
  const answer = await askDoctor(t, core, callId);
  const shown = answer.exchanges.map(({ method, outcome, diagnoses, rungs }) => ({
    method,
    outcome,
    diagnoses,
    rungs: rungs.length,
  }));
  assert.equal(answer.exchanges.length, 1, `${callId}: ${JSON.stringify(answer.problems)}`);
  const [only] = answer.exchanges;
  assert.deepEqual(
    only?.diagnoses.map(({ id }) => id),
    expected,
    JSON.stringify(shown, undefined, 2),
  );
  const [diagnosis] = only?.diagnoses ?? [];
  for (const one of only?.diagnoses ?? []) noteProduced(t, one);
  if (diagnosis !== undefined) assert.ok(diagnosis.evidence.length > 0, `${diagnosis.id} has evidence`);
  const failure = only?.diagnoses.some(({ severity }) => severity === "failure") === true;
  assert.equal(answer.well, !failure, JSON.stringify(shown));
  return diagnosis;
}

/** Asks until it says so, for what the nodes take a moment to do. */
export async function untilDiagnosed(
  t: TestContext,
  core: ExaminedCore,
  key: string,
  id: DiagnosisId,
  withinMs = 10_000,
): Promise<DoctorAnswer> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await askDoctor(t, core, key);
    const found = [...answer.diagnoses, ...answer.exchanges.flatMap(({ diagnoses }) => diagnoses)];
    const wanted = found.find((one) => one.id === id);
    if (wanted !== undefined) {
      noteProduced(t, wanted);
      return answer;
    }
    assert.ok(Date.now() < deadline, `no ${id}, but ${JSON.stringify(found.map((one) => one.id))}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
