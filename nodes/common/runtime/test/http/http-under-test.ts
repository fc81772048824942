import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { HttpAdmission, type HttpAdmissionOptions, type HttpWork } from "../../src/http/http-admission.ts";
import { HttpBusyError } from "../../src/http/http-busy-error.ts";

/** A server that calls the hooks as fastify does. `watching`: it measures by itself. */
export async function startServer(
  t: TestContext,
  options: Omit<HttpAdmissionOptions, "floor" | "targetMs"> & Partial<HttpAdmissionOptions>,
  { kind = "normal", watching = false }: { kind?: HttpWork; watching?: boolean } = {},
): Promise<{ admission: HttpAdmission; server: Server; port: number; url: string }> {
  const admission = new HttpAdmission({ targetMs: 50, floor: 1, ...options });
  const hooks = admission.hooks(kind);
  const server = createServer((raw, response) => {
    const request = { raw, ip: raw.socket.remoteAddress ?? "" };
    const reply = { header: (name: string, value: string) => response.setHeader(name, value) };
    const handle = async (): Promise<void> => {
      await hooks.onRequest(request, reply);
      await bodyOf(raw);
      await hooks.preHandler(request);
    };
    void handle()
      .then(
        () => 200,
        (error: unknown) => {
          if (!(error instanceof HttpBusyError)) return 500;
          response.setHeader("retry-after", error.retryAfterSeconds);
          return error.statusCode;
        },
      )
      .then((status) =>
        hooks.onSend(request, undefined, undefined, () => response.writeHead(status).end("done")),
      );
  });
  admission.guard(server);
  if (watching) admission.start();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    admission.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { admission, server, port, url: `http://127.0.0.1:${port}` };
}

async function bodyOf(raw: IncomingMessage): Promise<void> {
  for await (const _ of raw);
}

/** A connection from an address of its own, and what came over it until it ended. */
export async function openConnection(
  t: TestContext,
  port: number,
  localAddress = "127.0.0.1",
): Promise<{ socket: Socket; ended: Promise<string>; text(): string }> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let text = "";
  socket.setEncoding("latin1").on("data", (more) => (text += more));
  socket.on("error", () => undefined);
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return { socket, ended, text: () => text };
}

/** Until it is so; fails after five seconds. */
export async function until(fits: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !fits(); tries++) {
    if (tries === 500) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
