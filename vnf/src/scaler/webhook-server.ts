import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { answerWebhook, type Wish } from "./webhook.ts";

export interface WebhookServerOptions {
  readonly address: string;
  readonly port: number;
  readonly secret: string;
  readonly vnf: string;
  /** PEM; without: HTTP. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** False: there is no such pool. */
  readonly onWish: (wish: Wish) => boolean;
  readonly log: (line: string) => void;
}

export interface WebhookServer {
  readonly port: number;
  close(): Promise<void>;
}

const BODY_MAX = 1024 * 1024;

/** Where Alertmanager and Aodh send their notifications. GET /health answers 200. */
export async function openWebhook(options: WebhookServerOptions): Promise<WebhookServer> {
  const { address, port, tls } = options;
  const listener: RequestListener = (request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.method === "GET" && request.url === "/health") return send(200, { status: "up" });
    const answer = (body: string | undefined): void => {
      if (body === undefined) return send(413, { problem: `more than ${BODY_MAX} bytes` });
      const { status, problem, wishes } = answerWebhook(
        {
          method: request.method ?? "",
          url: request.url ?? "/",
          authorization: request.headers.authorization,
          body,
        },
        options.secret,
        options.vnf,
      );
      const unknown = wishes.filter((wish) => !options.onWish(wish)).map(({ pool }) => pool);
      if (problem !== undefined) return send(status, { problem });
      return send(status, {
        taken: wishes.length - unknown.length,
        ...(unknown.length > 0 ? { unknown } : {}),
      });
    };
    bodyOf(request)
      .then(answer, () => request.destroy())
      .catch((error: unknown) => {
        options.log(`a webhook is answered 500: ${String(error)}`);
        if (response.headersSent) response.destroy();
        else send(500, { problem: "a fault of the scaler: its log says which" });
      });
  };
  const limits = { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16_384 };
  const server: Server =
    tls === undefined
      ? createServer(limits, listener)
      : createSecureServer({ ...limits, cert: tls.certificate, key: tls.key }, listener);
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_MAX) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
