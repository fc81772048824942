import { join } from "node:path";
import { criteriaFile } from "../support/application-server.ts";
import { type RunningSipp, startSipp } from "../support/sipp.ts";

/** The application server of a lane, a SIPp process of its own. */
const serverOf = (lane: number): { readonly host: string; readonly port: number } => ({
  host: `127.0.${lane}.8`,
  port: 5090,
});

/** Longer than any bench. */
const AT_MOST_MS = 3_600_000;

export function startServer(lane: number): RunningSipp {
  const { host, port } = serverOf(lane);
  return startSipp({
    scenario: join(import.meta.dirname, "scenarios", "as.xml"),
    args: ["-t", "u1", "-i", host, "-p", String(port), "-buff_size", "4194304"],
    timeoutMs: AT_MOST_MS,
    traceMessages: false,
  });
}

/**
 * Filter criteria of every user (TS 29.228 Annex F): REGISTER and originating INVITE go to the server of the lane. Returns the arguments
 * of `tidewater up` for them; the file is put into `folder`.
 */
export function chainArguments(lane: number, folder: string): string[] {
  const { host, port } = serverOf(lane);
  const server = { uri: `sip:${host}:${port};transport=udp`, terminate: true };
  const file = criteriaFile(folder, "chain", [
    { ...server, method: "REGISTER" },
    { ...server, sessionCase: 0 },
  ]);
  return ["--set", `sprout.fallback-ifc-file=${file}`];
}
