import { join } from "node:path";
import { criteriaFile } from "../support/application-server.ts";
import { startSipp } from "../support/sipp.ts";
import type { Company } from "./company.ts";

/** The application server of a lane, a SIPp process of its own. */
const serverOf = (lane: number): { readonly host: string; readonly port: number } => ({
  host: `127.0.${lane}.8`,
  port: 5090,
});

/** Longer than any bench. */
const AT_MOST_MS = 3_600_000;

/**
 * One application server for everybody (TS 29.228 Annex F): REGISTER and originating INVITE go to it, a SIPp process of its own. The file
 * of filter criteria is put into `folder`.
 */
export function startChain(lane: number, folder: string): Company {
  const { host, port } = serverOf(lane);
  const sipp = startSipp({
    scenario: join(import.meta.dirname, "scenarios", "as.xml"),
    args: ["-t", "u1", "-i", host, "-p", String(port), "-buff_size", "4194304"],
    timeoutMs: AT_MOST_MS,
    traceMessages: false,
  });
  const server = { uri: `sip:${host}:${port};transport=udp`, terminate: true };
  const file = criteriaFile(folder, "chain", [
    { ...server, method: "REGISTER" },
    { ...server, sessionCase: 0 },
  ]);
  return {
    args: ["--set", `sprout.fallback-ifc-file=${file}`],
    sipps: [sipp],
    end: async () => void (await sipp.finish(500)),
  };
}
