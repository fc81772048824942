import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { ProvisioningClient, ProvisioningError } from "../src/index.ts";

async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fault(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProvisioningError && error.detail.code === code;
}

test("a client says which promise was broken: refused, not reachable, not this API", async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === "/subscribers/alice%40example.com") {
      response.writeHead(404, { "content-type": "application/problem+json" });
      response.end('{"type":"about:blank","title":"Unknown subscriber","status":404}');
    } else if (request.url === "/subscribers/proxy") response.writeHead(502).end("<html>bad gateway</html>");
    else response.end("<html>another server</html>");
  });
  const client = new ProvisioningClient(`${url}/`, "token");
  await assert.rejects(client.get("alice@example.com"), fault("PROVISIONING_REFUSED"));
  await assert.rejects(client.get("proxy"), fault("PROVISIONING_REFUSED"));
  await assert.rejects(client.get("bob@example.com"), fault("PROVISIONING_ANSWER"));
  await assert.rejects(client.list({}), fault("PROVISIONING_ANSWER"));
  await assert.rejects(
    new ProvisioningClient("http://127.0.0.1:1").list({}),
    fault("PROVISIONING_UNREACHABLE"),
  );
});

test("what is sent goes to the API only: not where an answer leads, not to another resource by the dots of a name", async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.url);
    if (request.url === "/elsewhere") response.end("{}");
    else response.writeHead(307, { location: "/elsewhere" }).end();
  });
  const client = new ProvisioningClient(url, "token");
  await assert.rejects(client.get("alice"), fault("PROVISIONING_UNREACHABLE"));
  for (const dots of [".", ".."]) await assert.rejects(client.get(dots), fault("PROVISIONING_REFUSED"));
  assert.deepEqual(seen, ["/subscribers/alice"]);
});

test("the token is presented, identities are escaped in paths", async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.url, request.headers.authorization);
    response.writeHead(204).end();
  });
  await new ProvisioningClient(url, "t0ken").delete("a/b?c@example.com");
  assert.deepEqual(seen, ["/subscribers/a%2Fb%3Fc%40example.com", "Bearer t0ken"]);
});
