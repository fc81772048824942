import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { installed } from "../daemon.ts";
import { guardOf } from "../guard.ts";
import { ended, terminate } from "./child.ts";
import type { CertificateFiles } from "./lab-authority.ts";
import type { Ready, Runner } from "./member.ts";

const READY_WITHIN_MS = 5_000;
const STOP_WITHIN_MS = 3_000;
const PROBE_EVERY_MS = 20;
/** A memcached server. */
export function memcachedRunner(
  member: string,
  host: string,
  port: number,
  { folders, tls }: { readonly folders?: readonly string[]; readonly tls?: CertificateFiles } = {},
): Runner {
  let child: ReturnType<typeof spawn> | undefined;
  return {
    async start(onExit) {
      const program = installed("memcached", folders);
      if (program === undefined)
        throw new Error(
          "--stores memcached needs memcached, which is not installed: apt-get install memcached (Debian, Ubuntu), dnf install memcached (Fedora)",
        );
      await refuseOther(member, host, port, tls);
      // With TLS as we are: nobody else may read its key.
      const root = process.getuid?.() === 0 ? ["-u", tls === undefined ? "nobody" : "root"] : [];
      const secure = tls === undefined ? [] : ["-Z", "-o", securely(tls)];
      const args = ["-l", host, "-p", String(port), "-U", "0", "-m", "64", "-c", "4096", ...root, ...secure];
      // A process group of its own: a Ctrl-C at the terminal is ours to handle.
      const started = spawn(program, args, {
        stdio: ["ignore", "ignore", "inherit"],
        detached: true,
        env: {},
      });
      const guard = started.pid === undefined ? undefined : guardOf(started.pid);
      child = started;
      let ready = false;
      const exit = new Promise<string>((resolve) => {
        started.once("error", (error) => resolve(error.message));
        started.once("exit", (code, signal) => {
          guard?.kill("SIGKILL");
          const why = signal ?? `exit code ${code}`;
          resolve(why);
          if (ready) onExit(why);
        });
      });
      const why = await Promise.race([exit, answers(host, port, tls)]);
      if (why !== undefined) {
        if (!ended(started)) await terminate(started, STOP_WITHIN_MS);
        throw new Error(`${member} did not start on ${host}:${port} (${why})`);
      }
      ready = true;
      return { pid: started.pid ?? 0, ports: { memcached: port } } satisfies Ready;
    },
    stop: async () => {
      if (child !== undefined && !ended(child)) await terminate(child, STOP_WITHIN_MS);
    },
  };
}

/** The server of somebody else would be taken for ours. */
async function refuseOther(
  member: string,
  host: string,
  port: number,
  tls: CertificateFiles | undefined,
): Promise<void> {
  if (await isVersion(host, port, tls))
    throw new Error(`${member}: ${host}:${port} is in use by another process`);
}

/** Undefined as soon as it answers, a reason when it does not. */
async function answers(
  host: string,
  port: number,
  tls: CertificateFiles | undefined,
): Promise<string | undefined> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (await isVersion(host, port, tls)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  return `no answer within ${READY_WITHIN_MS / 1000} s`;
}

/** TLS on its port, for clients with a certificate of the core. */
function securely({ certificate, key, ca }: CertificateFiles): string {
  return `ssl_chain_cert=${certificate},ssl_key=${key},ssl_ca_cert=${ca},ssl_verify_mode=2`;
}

function isVersion(host: string, port: number, tls: CertificateFiles | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const pem = (file: string): string => readFileSync(file, "utf8");
    const socket =
      tls === undefined
        ? connect({ host, port })
        : connectTls({ host, port, ca: pem(tls.ca), cert: pem(tls.certificate), key: pem(tls.key) });
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(500, () => done(false));
    socket.once(tls === undefined ? "connect" : "secureConnect", () => socket.write("version\r\n"));
    socket.once("data", (data) => done(data.toString("latin1").startsWith("VERSION")));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
