import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "@ims/runtime/testing";
import { type RunningSipp, type SippResult, startSipp } from "./sipp.ts";
import { scenarioPath } from "./sipp-call.ts";

/** SIPp as an application server on ISC, over UDP. */
export interface ApplicationServerUnderTest {
  /** As filter criteria name it. */
  readonly uri: string;
  readonly port: number;
  logs(): string[];
  finish(): Promise<SippResult>;
}

/** Starts one; it is ended after the test. `target`: where it sends everything, when not back to where a request came from. */
export async function startApplicationServer(
  t: TestContext,
  scenario:
    | "as-presence"
    | "as-proxy"
    | "as-b2bua"
    | "as-silent"
    | "as-garbage"
    | "as-late"
    | "as-mrf"
    | "as-voice-mail",
  given: {
    readonly port?: number;
    readonly workMs?: number;
    readonly target?: string;
    /** Address of another member of the pool: who gets the answers when an INVITE comes again. SIPp does not look where from. */
    readonly other?: string;
  } = {},
): Promise<ApplicationServerUnderTest> {
  const host = "127.0.0.1";
  const port = given.port ?? (await freePort(host));
  const sipp: RunningSipp = startSipp({
    scenario: scenarioPath(scenario),
    fill: {
      WORK_MS: String(given.workMs ?? 0),
      AGAIN:
        given.other === undefined
          ? ""
          : `<action><setdest host="${given.other}" port="5054" protocol="udp"/></action>`,
    },
    args: [
      ...["-t", "u1", "-i", host, "-p", String(port), "-aa", "-pause_msg_ign"],
      ...(given.target === undefined ? [] : ["-rsa", given.target]),
    ],
    timeoutMs: 120_000,
  });
  let result: Promise<SippResult> | undefined;
  const finish = (): Promise<SippResult> => {
    result ??= sipp.finish(500);
    return result;
  };
  t.after(() => finish());
  return { uri: `sip:${host}:${port};transport=udp`, port, logs: () => sipp.logs(), finish };
}

/** A file of filter criteria: servers in order, for INVITE where no other method is named. Returns its path. */
export function criteriaFile(
  directory: string,
  name: string,
  servers: readonly {
    readonly uri: string;
    readonly method?: string;
    /** Default: any. */
    readonly sessionCase?: 0 | 1 | 2 | 3 | 4;
    readonly terminate?: boolean;
  }[],
): string {
  const spt = (group: number, content: string): string =>
    `<SPT><ConditionNegated>0</ConditionNegated><Group>${group}</Group>${content}</SPT>`;
  const list = servers.map(
    ({ uri, method = "INVITE", sessionCase, terminate = false }, index) =>
      `<InitialFilterCriteria><Priority>${index}</Priority><TriggerPoint><ConditionTypeCNF>1</ConditionTypeCNF>${spt(0, `<Method>${method}</Method>`)}${sessionCase === undefined ? "" : spt(1, `<SessionCase>${sessionCase}</SessionCase>`)}</TriggerPoint><ApplicationServer><ServerName>${uri}</ServerName><DefaultHandling>${terminate ? 1 : 0}</DefaultHandling></ApplicationServer></InitialFilterCriteria>`,
  );
  const path = join(directory, `${name}.xml`);
  writeFileSync(path, `<IFCs>${list.join("")}</IFCs>`);
  return path;
}
