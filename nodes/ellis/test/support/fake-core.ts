import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import {
  aboutRoute,
  alarmRoutes,
  createHealth,
  type Health,
  managementServer,
  metricsRegister,
  recentRoute,
  Trail,
  type TrailContent,
  type TrailGlance,
  trailRoute,
} from "@ims/runtime";

const ENDS = { protocol: "UDP", side: "access", local: "127.0.0.1:5060", remote: "127.0.0.9:5060" };

/** A node as far as its management port shows it, with a trail of steps that a test writes. */
export interface FakeNode {
  /** NAME=URL */
  readonly named: string;
  readonly health: Health;
  /** Paths it was asked for. */
  readonly asked: string[];
  step(
    content: Partial<TrailContent> & { readonly title: string; readonly glance?: Partial<TrailGlance> },
  ): void;
  stop(): Promise<void>;
}

export async function fakeNode(
  t: TestContext,
  name: string,
  token?: string,
  place: { readonly cell: string; readonly zone: string } = { cell: "", zone: "" },
): Promise<FakeNode> {
  const health = createHealth();
  health.set("ready");
  const trail = new Trail({ bytes: 1_000_000, steps: 1_000, clock: { monotonic: () => performance.now() } });
  const kind = trail.addReader("test", {
    read: (bytes) => JSON.parse(bytes.toString()) as TrailContent,
    glance: (bytes) => (JSON.parse(bytes.toString()) as { glance?: TrailGlance }).glance,
  });
  const register = metricsRegister();
  register.gauge({ name: "ims_bono_calls", help: "calls", value: () => 3 });
  const asked: string[] = [];
  const routes = [
    ...[trailRoute(name, trail), recentRoute(name, trail), ...alarmRoutes(name, health.alarms)],
    aboutRoute({ node: name, version: "1.2.3", options: () => ({}), place }, health),
  ];
  const server = managementServer(
    { address: "127.0.0.1", port: 0, token },
    {
      register,
      health,
      routes: routes.map((route) => ({
        ...route,
        answer: (request) => {
          asked.push(route.path);
          return route.answer(request);
        },
      })),
    },
  );
  await server.start();
  t.after(() => server.stop());
  return {
    named: `${name}=http://127.0.0.1:${server.port}`,
    ...{ health, asked },
    step: (content) => trail.text(kind, "in", ENDS, JSON.stringify({ kind: "sip", ...content })),
    stop: () => server.stop(),
  };
}

/** Something that listens where a node should: NAME=URL. */
export async function fakeListener(
  t: TestContext,
  name: string,
  answer: RequestListener<typeof IncomingMessage>,
): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `${name}=http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
