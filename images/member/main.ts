import { execFile } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import { uptime } from "node:os";
import { promisify } from "node:util";
import { renewCertificates } from "./certificates.ts";
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

/** Gives a file to the user of a process, and to nobody else. */
function own(path: string, user: string): void {
  const line = readFileSync("/etc/passwd", "utf8").match(
    new RegExp(`^${user}:[^:]*:([0-9]+):([0-9]+):`, "m"),
  );
  if (line === null) throw new Error(`there is no user ${user}`);
  chownSync(path, Number(line[1]), Number(line[2]));
}

async function tell(status: "SUCCESS" | "FAILURE", reason: string, id: string): Promise<void> {
  const file = readReadySignal(places.readySignal);
  if (file.kind === "none") return;
  const problem =
    file.kind === "invalid" ? file.problem : await sendSignal(file.signal, { status, reason, id });
  if (problem !== undefined) say(`Heat could not be told ${status}: ${problem}`);
}

/** 0: ready; 1: not yet, tried again; 2: user data has to be corrected first. */
async function main(): Promise<number> {
  let member: Member | undefined;
  try {
    member = readMember(places.member);
    const { name, role, cell, address } = member;
    say(`${name}: ${role} in cell ${cell} at ${address}`);
    await startMember(member, { places, say, startUnit, own });
    say(`node ready: ${name}, ${Math.round(uptime())} s after the machine's start`);
    await tell("SUCCESS", `${name} is ready`, name);
    return 0;
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    say(`NOT ready: ${error.message}`);
    say(`remedy: ${error.remedy}`);
    await tell("FAILURE", error.message.slice(0, 500), member?.name ?? "member");
    return member === undefined ? 2 : 1;
  }
}

/** Once a day. 0: renewed, or good for long; 1: tried again tomorrow. */
async function renewal(): Promise<number> {
  try {
    const result = await renewCertificates(readMember(places.member), { places, own }, Date.now());
    if (result === "renewed") say("the certificate of this machine for etcd is renewed");
    return 0;
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    say(`${error.message}; remedy: ${error.remedy}`);
    return 1;
  }
}

process.exitCode = await (process.argv[2] === "renew-certificates" ? renewal() : main());
