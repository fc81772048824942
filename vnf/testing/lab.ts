import { join } from "node:path";
import { type Deployment, readDeployment } from "../src/lcm/deployment.ts";
import { HeatDriver } from "../src/lcm/heat-driver.ts";
import type { Run } from "../src/lcm/outcome.ts";
import { MODEL_FOLDER, readModel, type VnfModel } from "../src/model/model.ts";
import { Cinder } from "../src/openstack/cinder.ts";
import { cloudOf } from "../src/openstack/cloud.ts";
import { Glance } from "../src/openstack/glance.ts";
import { Heat } from "../src/openstack/heat.ts";
import { Neutron } from "../src/openstack/neutron.ts";
import { Nova } from "../src/openstack/nova.ts";
import { OpenStackSession } from "../src/openstack/session.ts";
import { FakeCloud } from "./fake-cloud.ts";
import { FakePace } from "./fake-pace.ts";

export const TEMPLATES = join(import.meta.dirname, "../../heat-templates");

/** A fake cloud, and everything that works on it, over HTTP. */
export interface Lab {
  readonly cloud: FakeCloud;
  readonly pace: FakePace;
  readonly session: OpenStackSession;
  readonly heat: Heat;
  readonly nova: Nova;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
  readonly glance: Glance;
  readonly driver: HeatDriver;
  readonly model: VnfModel;
  readonly run: Run;
  /** What was reported. */
  readonly lines: string[];
  /** Why requests were sent again. */
  readonly retries: string[];
}

export async function startLab(
  t: { after(work: () => Promise<void>): void },
  zones: Readonly<Record<string, number>> = { dmz: 8, core: 8 },
): Promise<Lab> {
  const pace = new FakePace();
  const cloud = await FakeCloud.start(pace, zones);
  const auth = {
    auth_url: cloud.authUrl,
    username: "operator",
    password: cloud.password,
    user_domain_name: "Default",
    project_name: "ims",
    project_domain_name: "Default",
  };
  const read = cloudOf("fake", { auth }, "test");
  if (read.kind === "bad") throw new Error(read.problem);
  const lines: string[] = [];
  const retries: string[] = [];
  const session = new OpenStackSession(read.cloud, { pace, onRetry: (reason) => retries.push(reason) });
  t.after(async () => {
    await session.close();
    await cloud.stop();
  });
  const modules = {
    heat: new Heat(session),
    nova: new Nova(session),
    neutron: new Neutron(session),
    cinder: new Cinder(session),
    glance: new Glance(session),
  };
  const model = readModel(MODEL_FOLDER);
  if (model.kind === "bad") throw new Error("the model is faulty");
  const run: Run = { pace, progress: (line) => lines.push(line), timeoutMs: 3_600_000 };
  return {
    cloud,
    pace,
    session,
    ...modules,
    driver: new HeatDriver(modules),
    model: model.model,
    run,
    lines,
    retries,
  };
}

/** The small environment, with values of one's own. */
export function small(parameters: Readonly<Record<string, string>> = {}): Deployment {
  const reading = readDeployment({
    template: join(TEMPLATES, "ims.yaml"),
    environments: [join(TEMPLATES, "environments/small.yaml")],
    parameters: new Map(Object.entries({ dns_servers: "192.0.2.53", ...parameters })),
  });
  if (reading.kind === "bad") throw new Error(JSON.stringify(reading.faults));
  return reading.deployment;
}
