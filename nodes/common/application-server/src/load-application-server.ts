import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Clock } from "@ims/runtime";
import {
  type ApplicationServer,
  type ApplicationServerModule,
  INTERFACE_VERSION,
} from "./application-server.ts";
import { ApplicationServerError } from "./errors.ts";
import type { ServerHost } from "./server-host.ts";

export interface LoadOptions {
  /** Path of an ES module. */
  readonly file: string;
  /** For reading the module, and then for its create(), ms. */
  readonly timeoutMs: number;
}

export interface LoadModules {
  readonly clock: Clock;
  /** What the process does for a server of that name. Throws for a name that is taken. */
  readonly hostOf: (name: string) => ServerHost;
}

export interface LoadedServer {
  readonly name: string;
  readonly host: ServerHost;
  readonly server: ApplicationServer;
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** Reads the module of an application server of others and makes the server. Throws ApplicationServerError. */
export async function loadApplicationServer(
  { file, timeoutMs }: LoadOptions,
  { clock, hostOf }: LoadModules,
): Promise<LoadedServer> {
  const path = resolve(file);
  const fail = (problem: string, cause?: unknown): never => {
    throw new ApplicationServerError({ code: "APPLICATION_SERVER_MODULE", file: path, problem }, { cause });
  };
  const within = <T>(what: string, work: Promise<T>): Promise<T> =>
    inTime(work, { clock, timeoutMs }).catch((cause: unknown) => fail(`${what}: ${textOf(cause)}`, cause));

  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) fail("is no file");
  const namespace: unknown = await within("cannot be imported", import(pathToFileURL(path).href));
  const module = (namespace as { default?: unknown }).default;
  const problem = faultOf(module);
  if (problem !== undefined) return fail(problem);
  const { name, create } = module as ApplicationServerModule;
  let host: ServerHost;
  try {
    host = hostOf(name);
  } catch (cause) {
    return fail(textOf(cause), cause);
  }
  const server = await within(
    `${name} cannot be made`,
    (async (): Promise<ApplicationServer> => create.call(module, host))(),
  );
  if (typeof (server as Partial<ApplicationServer> | undefined)?.onInitialRequest !== "function")
    return fail(`${name}: what create() gives has no onInitialRequest()`);
  return { name, host, server };
}

function faultOf(module: unknown): string | undefined {
  if (typeof module !== "object" || module === null)
    return "exports no application server by default: export default { interfaceVersion, name, create }";
  const { interfaceVersion, name, create } = module as Partial<ApplicationServerModule>;
  if (interfaceVersion !== INTERFACE_VERSION)
    return `is for version ${String(interfaceVersion)} of the interface, this is ${INTERFACE_VERSION}`;
  if (typeof name !== "string" || !NAME.test(name))
    return "its name has to be 1 to 32 letters in lower case, digits and hyphens";
  return typeof create === "function" ? undefined : "has no create()";
}

function inTime<T>(
  work: Promise<T>,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => reject(new Error(`not within ${timeoutMs} ms`)));
    work.finally(() => timer.cancel()).then(resolve, reject);
  });
}

/** One line. */
function textOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split("\n", 1)[0]?.slice(0, 400) ?? "";
}
