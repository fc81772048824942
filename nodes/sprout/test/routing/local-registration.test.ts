import assert from "node:assert/strict";
import { test } from "node:test";
import { SipMessage, type Uri } from "@ims/sip";
import { type LocalServer, telling } from "../../src/routing/local-registration.ts";

const at =
  (host: string): LocalServer["accepts"] =>
  (uri: Uri) =>
    uri.host === host;

/** Status of a request for a server; 0: it left the process. */
async function outcome(servers: readonly LocalServer[], method: string, uri: string): Promise<number> {
  const fork = { done: true, flow: undefined, cancel: () => undefined };
  return new Promise((resolve) => {
    const originate = telling(servers, (request) => {
      resolve(0);
      return { request, ...fork };
    });
    const request = SipMessage.request(method, uri).append("From", "<sip:s>;tag=1").append("To", "<sip:a@b>");
    originate(request, { kind: "uri", side: "scscf" }, { onFinal: ({ status }) => resolve(status) });
  });
}

test("TS 24.229 §5.4.1.7: third-party REGISTER to an application server of this process does not leave it", async () => {
  const noted: string[] = [];
  const servers: LocalServer[] = [
    { accepts: at("memento.example.com") },
    {
      accepts: at("mmtel.example.com"),
      noteRegistration: async ({ method }) => void noted.push(method),
    },
    { accepts: at("broken.example.com"), noteRegistration: () => Promise.reject(new Error("store")) },
  ];
  assert.equal(await outcome(servers, "REGISTER", "sip:memento.example.com"), 200);
  assert.equal(await outcome(servers, "REGISTER", "sip:mmtel.example.com"), 200);
  assert.deepEqual(noted, ["REGISTER"]);
  assert.equal(await outcome(servers, "REGISTER", "sip:broken.example.com"), 500);
  assert.equal(await outcome(servers, "REGISTER", "sip:as.example.org"), 0);
  assert.equal(await outcome(servers, "NOTIFY", "sip:mmtel.example.com"), 0);
  assert.equal(await outcome([], "REGISTER", "sip:mmtel.example.com"), 0);
});
