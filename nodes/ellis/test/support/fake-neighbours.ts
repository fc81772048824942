import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { TestContext } from "node:test";

export interface FakeSubscriber {
  impi: string;
  publicIdentities: { impu: string; barred: boolean; state: string }[];
  authentication: string[];
  services?: Record<string, unknown>;
}

/** What a neighbour does instead of its work. */
export type Fault = "none" | "hangs" | "fails" | "resets";

async function listen(
  t: TestContext,
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<{ url: string; behave(fault: Fault): void }> {
  let fault: Fault = "none";
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (fault === "fails") response.writeHead(500).end();
      else if (fault === "resets") response.destroy();
      else if (fault === "none") answer(request, body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  return {
    url,
    behave: (next) => {
      fault = next;
    },
  };
}

/** The provisioning API, with identities that are unique. */
export async function fakeHomestead(t: TestContext) {
  const subscribers = new Map<string, FakeSubscriber>();
  /** Passwords as they were set, by private identity. */
  const passwords = new Map<string, string>();
  const ownerOf = (impu: string): string | undefined =>
    [...subscribers.values()].find(({ publicIdentities }) =>
      publicIdentities.some((each) => each.impu === impu),
    )?.impi;
  const server = await listen(t, (request, body, response) => {
    const reply = (status: number, document?: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(document === undefined ? "" : JSON.stringify(document));
    };
    const problem = (status: number, detail: string): void =>
      reply(status, { type: "about:blank", title: "Refused", status, detail });
    if (request.method === "GET" && /^\/subscribers\?/.test(request.url ?? "")) {
      const query = new URL(request.url ?? "", "http://homestead").searchParams;
      const [after, limit] = [query.get("after") ?? "", Number(query.get("limit"))];
      const all = [...subscribers.values()]
        .filter(({ impi }) => impi > after && impi.includes(query.get("search") ?? ""))
        .sort((one, other) => (one.impi < other.impi ? -1 : 1));
      const page = all.slice(0, limit);
      return reply(200, { subscribers: page, ...(all.length > limit ? { next: page.at(-1)?.impi } : {}) });
    }
    if (request.url === "/subscribers/import") {
      const { subscribers: rows, dryRun } = JSON.parse(body) as {
        readonly subscribers: readonly {
          readonly impi: string;
          readonly publicIdentities: readonly { readonly impu: string; readonly barred?: boolean }[];
          readonly credentials: { readonly password?: string };
        }[];
        readonly dryRun: boolean;
      };
      const wrong = rows.flatMap(({ impi, publicIdentities }, index) => {
        const other = publicIdentities.find(({ impu }) => (ownerOf(impu) ?? impi) !== impi);
        return other === undefined
          ? []
          : [{ index, impi, error: `${other.impu} belongs to ${ownerOf(other.impu)}` }];
      });
      const unchanged = rows.filter(({ impi }) => subscribers.has(impi)).length;
      const applied = dryRun || wrong.length > 0 ? 0 : rows.length - unchanged;
      if (applied > 0)
        for (const { impi, publicIdentities, credentials } of rows) {
          const identities = publicIdentities.map(({ impu, barred = false }) => ({
            ...{ impu, barred, state: "not-registered" },
          }));
          subscribers.set(impi, { impi, publicIdentities: identities, authentication: ["digest"] });
          passwords.set(impi, credentials.password ?? "");
        }
      return reply(200, { applied, unchanged, rows: wrong });
    }
    if (request.url?.endsWith("/deregister")) return reply(204);
    const [, name] = /^\/subscribers(?:\/([^/?]+))?$/.exec(request.url ?? "") ?? [];
    const impi = decodeURIComponent(name ?? "");
    const given = (body === "" ? {} : JSON.parse(body)) as {
      impi?: string;
      publicIdentities?: { impu: string; barred?: boolean }[];
      addPublicIdentities?: { impu: string }[];
      removePublicIdentities?: string[];
      credentials?: { password?: string };
      services?: Record<string, unknown>;
    };
    const identities = (given.publicIdentities ?? given.addPublicIdentities ?? []).map(({ impu }) => ({
      ...{ impu, barred: false, state: "not-registered" },
    }));
    const self = given.impi ?? impi;
    const taken = identities.find(({ impu }) => (ownerOf(impu) ?? self) !== self);
    if (taken !== undefined) return problem(409, `${taken.impu} belongs to another`);
    const known = subscribers.get(self);
    if (request.method === "POST") {
      if (known !== undefined) return problem(409, `${self} exists already`);
      const added = { impi: self, publicIdentities: identities, authentication: ["digest"] };
      subscribers.set(self, {
        ...added,
        ...(given.services === undefined ? {} : { services: given.services }),
      });
      passwords.set(self, given.credentials?.password ?? "");
      return reply(201, subscribers.get(self));
    }
    if (known === undefined) return problem(404, `there is no subscriber ${self}`);
    if (request.method === "DELETE") {
      subscribers.delete(self);
      return reply(204);
    }
    if (request.method === "PATCH") {
      if (JSON.stringify(given.services ?? {}).includes("((("))
        return problem(400, "services: ((( is no expression");
      const removed = given.removePublicIdentities ?? [];
      known.publicIdentities = [...known.publicIdentities, ...identities].filter(
        ({ impu }) => !removed.includes(impu),
      );
      if (given.services !== undefined) known.services = given.services;
      if (given.credentials?.password !== undefined) passwords.set(self, given.credentials.password);
    }
    return reply(200, known);
  });
  return { ...server, subscribers, passwords };
}

/** The core port of homer. */
export async function fakeHomer(t: TestContext) {
  const documents = new Map<string, string>();
  const server = await listen(t, (request, body, response) => {
    const [, name = ""] = /\/users\/([^/]+)\//.exec(request.url ?? "") ?? [];
    const owner = decodeURIComponent(name);
    const known = documents.get(owner);
    if (request.method === "PUT") {
      if (!body.includes("<simservs"))
        return response
          .writeHead(409)
          .end('<xcap-error><not-well-formed phrase="no &lt;simservs&gt;"/></xcap-error>');
      documents.set(owner, body);
      return response.writeHead(known === undefined ? 201 : 200).end();
    }
    if (known === undefined) return response.writeHead(404).end();
    if (request.method === "DELETE") documents.delete(owner);
    return response.writeHead(200).end(request.method === "GET" ? known : "");
  });
  return { ...server, documents };
}
