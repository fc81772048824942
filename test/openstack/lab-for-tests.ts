import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startLab, stopLab } from "./lab/lab.ts";
import { type Lab, labHosts, labOf } from "./lab/lab-settings.ts";
import type { Json, OpenStack } from "./lab/open-stack.ts";

/** The lab of $OPENSTACK_LAB, a folder, is used as it is and left running; else one is made and ended. */
export async function labFor(t: TestContext): Promise<Lab> {
  const running = process.env["OPENSTACK_LAB"];
  if (running !== undefined) return labOf(running);
  const folder = mkdtempSync(join(tmpdir(), "openstack-"));
  t.after(() => stopLab(folder));
  const tell = (line: string): void => t.diagnostic(line);
  return await startLab({ folder, address: "127.77.1.1", hosts: labHosts("dmz=8,core=8") }, tell);
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
