import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import { startLab, stopLab } from "./lab/lab.ts";
import { type Lab, labHosts, labOf } from "./lab/lab-settings.ts";
import type { Json, OpenStack } from "./lab/open-stack.ts";

let made: { readonly folder: string; readonly started: Promise<Lab> } | undefined;
// Of the file, not of a test: what a test's own hooks clean up needs the lab, and hooks run in the order of their making.
after(async () => {
  if (made !== undefined) await stopLab(made.folder);
});

/**
 * The lab of $OPENSTACK_LAB, a folder, is used as it is and left running; else one is made for the tests of this file,
 * with `hosts` as {@link labHosts} reads them, and ended after the last.
 */
export async function labFor(t: TestContext, hosts = "dmz=8,core=8"): Promise<Lab> {
  const running = process.env["OPENSTACK_LAB"];
  if (running !== undefined) return labOf(running);
  if (made === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "openstack-"));
    const tell = (line: string): void => t.diagnostic(line);
    made = { folder, started: startLab({ folder, address: "127.77.1.1", hosts: labHosts(hosts) }, tell) };
  }
  return await made.started;
}

/** Takes hosts out of the scheduler's sight, or back. */
export async function setHosts(
  admin: OpenStack,
  hosts: readonly string[],
  status: "enabled" | "disabled",
): Promise<void> {
  const services = (await admin.get("compute", "/os-services?binary=nova-compute"))["services"];
  for (const service of services as unknown as Json[])
    if (hosts.includes(String(service["host"])))
      await admin.put("compute", `/os-services/${String(service["id"])}`, { status });
}
