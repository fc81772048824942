import { after, before, test } from "node:test";
import { checkPipelined, checkServes, checkTcp, checkUdp, type Edge, endsStream } from "./edge.ts";
import type { Torture } from "./torture.ts";

export interface EdgeSuite {
  /** "RFC 4475 at the P-CSCF". */
  readonly name: string;
  readonly tortures: readonly Torture[];
  /** Starts what is to be tortured; `after` takes what ends it. */
  start(hooks: { after(end: () => unknown): void }): Promise<Edge>;
}

/** Every message over UDP, over TCP in one piece and byte by byte, and all together on one connection. */
export function edgeSuite({ name, tortures, start }: EdgeSuite): void {
  const ends: (() => unknown)[] = [];
  let edge: Edge = { host: "", udpPort: 0, tcpPort: 0 };
  before(async () => {
    edge = await start({ after: (end) => ends.push(end) });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  for (const torture of tortures) {
    const title = `${name} §${torture.clause} ${torture.name}, ${torture.what},`;
    test(`${title} over UDP: ${outcome(torture.udp)}`, async (t) => {
      await checkUdp(t, edge, torture);
      await checkServes(t, edge);
    });
    test(`${title} over TCP: ${outcome(torture.tcp)}`, async (t) => {
      await checkTcp(t, edge, torture);
      await checkServes(t, edge);
    });
    test(`${title} over TCP byte by byte: ${outcome(torture.tcp)}`, async (t) => {
      await checkTcp(t, edge, torture, true);
    });
  }

  test(`${name}: all messages that leave the stream intact, pipelined on one connection`, (t) =>
    checkPipelined(
      t,
      edge,
      tortures.filter((torture) => !endsStream(torture)),
    ));

  test(`${name}: the server serves on after all of this`, (t) => checkServes(t, edge));
}

function outcome(expected: Torture["udp"]): string {
  switch (expected.kind) {
    case "answered":
      return `${expected.statuses.join(" or ")}${expected.closed === true ? " and closed" : ""}`;
    case "each":
      return expected.statuses
        .map((statuses) => statuses.join(" or "))
        .concat(expected.closed === true ? ["closed"] : [])
        .join(", then ");
    case "silent":
      return "no response";
    case "incomplete":
      return "waits for the rest";
  }
}
