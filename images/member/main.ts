import { execFile } from "node:child_process";
import { uptime } from "node:os";
import { promisify } from "node:util";
import { placesBelow } from "./files.ts";
import { type Member, MemberError, readMember } from "./member-file.ts";
import { readReadySignal, sendSignal } from "./signal.ts";
import { startMember } from "./start.ts";

const run = promisify(execFile);
const places = placesBelow(process.env["TIDEWATER_MEMBER_ROOT"] ?? "/");
const say = (line: string): void => void process.stdout.write(`tidewater: ${line}\n`);

/** systemctl's own words, when it cannot. */
async function startUnit(unit: string): Promise<void> {
  try {
    await run("systemctl", ["start", unit]);
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    throw new MemberError(
      `${unit} does not start: ${stderr.trim().split("\n")[0] ?? ""}`,
      `see 'journalctl -u ${unit}'`,
    );
  }
}

async function tell(status: "SUCCESS" | "FAILURE", reason: string, id: string): Promise<void> {
  const file = readReadySignal(places.readySignal);
  if (file.kind === "none") return;
  const problem =
    file.kind === "invalid" ? file.problem : await sendSignal(file.signal, { status, reason, id });
  if (problem !== undefined) say(`Heat could not be told ${status}: ${problem}`);
}

async function main(): Promise<number> {
  let member: Member | undefined;
  try {
    member = readMember(places.member);
    const { name, role, cell, address } = member;
    say(`${name}: ${role} in cell ${cell} at ${address}`);
    await startMember(member, { places, say, startUnit });
    say(`node ready: ${name}, ${Math.round(uptime())} s after the machine's start`);
    await tell("SUCCESS", `${name} is ready`, name);
    return 0;
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    say(`NOT ready: ${error.message}`);
    say(`remedy: ${error.remedy}`);
    await tell("FAILURE", error.message.slice(0, 500), member?.name ?? "member");
    return 1;
  }
}

process.exitCode = await main();
