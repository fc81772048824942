import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Element,
  type ElementAddress,
  type PeerAddresses,
  writePeerConfiguration,
} from "../performance/peer-kamailio/config.ts";
import {
  answersOptions,
  kamailioVersion,
  mustBeFree,
  startElement,
  stopOne,
} from "../performance/peer-kamailio/processes.ts";

export interface KamailioOptions {
  readonly domain: string;
  /** First three octets of the loopback addresses: the P-CSCF is .2, the I-CSCF .3, the S-CSCF .4. */
  readonly network: string;
  readonly elements: readonly Element[];
  readonly hss: ElementAddress;
  /** The S-CSCF that the I-CSCF chooses; default: Kamailio's. */
  readonly chosen?: string;
  /** SIP over TCP too, and between the CSCFs. */
  readonly tcp?: boolean;
}

/** One SIP worker and these megabytes serve two users. */
const MEGABYTES = 64;

/** Why Kamailio's CSCFs cannot run here; undefined: they can. */
export function whyNot(): string | undefined {
  return kamailioVersion() === null ? "Kamailio is not installed (scripts/install-test-tools)" : undefined;
}

/** Starts CSCFs of Kamailio's with the configuration that the bench measures them by; they are ended with the test. */
export async function startKamailio(
  t: TestContext,
  { network, hss, elements, ...options }: KamailioOptions,
): Promise<PeerAddresses> {
  const directory = mkdtempSync(join(tmpdir(), "kamailio-"));
  const addresses: PeerAddresses = {
    pcscf: { host: `${network}.2`, port: 5060 },
    icscf: { host: `${network}.3`, port: 4060 },
    scscf: { host: `${network}.4`, port: 6060 },
    hss,
  };
  writePeerConfiguration({ ...options, directory, addresses, workers: 1 });
  const children = new Map<Element, ChildProcess>();
  t.after(async () => {
    await Promise.all([...children.values()].map((child) => stopOne(child, true)));
    rmSync(directory, { recursive: true, force: true });
  });
  for (const element of elements) {
    await mustBeFree(element, addresses[element]);
    children.set(element, startElement(directory, element, MEGABYTES));
  }
  const deadline = performance.now() + 20_000;
  for (const [element, child] of children)
    while (!(await answersOptions(addresses[element]))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        const log = readFileSync(join(directory, `${element}.log`), "utf8");
        throw new Error(`Kamailio's ${element} did not come up:\n${log.slice(-2000)}`);
      }
      await delay(50);
    }
  return addresses;
}
