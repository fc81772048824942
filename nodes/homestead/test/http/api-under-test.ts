import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { ProvisioningClient, ProvisioningError } from "@ims/api";
import { memoryLogger } from "@ims/runtime/testing";
import { provisioningServer } from "../../src/http/provisioning-server.ts";
import { type CxUnderTest, startCx } from "../cx/cx-under-test.ts";

export type ApiUnderTest = {
  readonly cx: CxUnderTest;
  readonly url: string;
  readonly client: ProvisioningClient;
};

/** The provisioning API over a database in memory, with a CSCF on Cx. */
export async function startApi(t: TestContext, token?: string): Promise<ApiUnderTest> {
  const cx = await startCx(t);
  const http = provisioningServer(
    { address: "127.0.0.1", port: 0, token, realm: "example.com" },
    { subscribers: cx.hss, node: cx.server, servers: cx.servers, log: memoryLogger("silent") },
  );
  await http.start();
  t.after(() => http.stop());
  const url = `http://127.0.0.1:${http.port}`;
  return { cx, url, client: new ProvisioningClient(url, token) };
}

/** What a request is refused with. */
export async function refusedWith(promise: Promise<unknown>, status: number): Promise<string> {
  let detail = "";
  await assert.rejects(promise, (error) => {
    if (!(error instanceof ProvisioningError) || error.detail.code !== "PROVISIONING_REFUSED") return false;
    detail = error.detail.detail;
    return error.detail.status === status;
  });
  return detail;
}
