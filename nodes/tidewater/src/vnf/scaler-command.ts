import { readFileSync } from "node:fs";
import {
  failed,
  formatFault,
  type Outcome,
  openHttp,
  openWebhook,
  queryPrometheus,
  readJoinTokenFile,
  readScalerConfig,
  Scaler,
  type ScalerConfig,
  StateFile,
  signatureOf,
  type WebhookServer,
} from "@ims/vnf";
import type { Command } from "commander";
import { type CloudGiven, type CloudTools, cloudCommand, withCloud } from "./cloud-command.ts";

interface Given extends CloudGiven {
  readonly config: string;
  readonly stateFile: string;
  readonly dryRun?: boolean;
  readonly urls?: boolean;
}

/** `tidewater vnf scaler`: runs until it is stopped. */
export function scalerCommand(exit: (code: number) => void): Command {
  return cloudCommand(
    "scaler",
    "scale pools by what Alertmanager, Aodh or Prometheus say: aligned steps, one at a time, drained on the way in",
    120,
  )
    .requiredOption("--config <file>", "scaler.yaml (docs/operations/scaler.md)")
    .option("--state-file <file>", "what it remembers when it is started again", ".tidewater/scaler.json")
    .option("--dry-run", "decide and say so; change nothing")
    .option("--urls", "print the signed URLs for Aodh and end")
    .action(async (given: Given) => exit(await scaler(given)));
}

async function scaler(given: Given): Promise<number> {
  const reading = readScalerConfig(textOf(given.config, "--config"), given.config);
  if (reading.kind === "bad") {
    for (const fault of reading.faults) process.stderr.write(`tidewater: ${formatFault(fault)}\n`);
    return 1;
  }
  const { config } = reading;
  const { webhook } = config;
  const secret = webhook === undefined ? "" : secretOf(webhook.secretFile);
  if (given.urls === true) return printUrls(config, secret);
  return withCloud(given, (tools) => serve(tools, config, secret, given));
}

async function serve(
  { driver, model, run }: CloudTools,
  config: ScalerConfig,
  secret: string,
  given: Given,
): Promise<Outcome | number> {
  const state = new StateFile(given.stateFile);
  const owner = state.lock();
  if (owner !== undefined)
    return failed(`${owner} scales with ${given.stateFile} already`, [], ["stop it first"]);
  const { prometheus, webhook, joinTokenFile } = config;
  const http = openHttp({
    verify: true,
    ...(prometheus?.caFile === undefined ? {} : { ca: textOf(prometheus.caFile, "caFile") }),
  });
  let server: WebhookServer | undefined;
  try {
    const remembered = state.read(config.vnf);
    if (remembered.kind === "bad") return failed(remembered.problem);
    const token = prometheus?.tokenFile === undefined ? undefined : secretOf(prometheus.tokenFile);
    const joinToken = joinTokenFile === undefined ? undefined : () => readJoinTokenFile(joinTokenFile);
    const first = joinToken?.();
    if (first?.kind === "bad") run.progress(`${first.problem}: no pool grows until that is mended`);
    const { signal, pace } = run;
    const scaler = new Scaler(
      {
        config,
        driver,
        model,
        pace,
        state,
        log: run.progress,
        dryRun: given.dryRun === true,
        timeoutMs: run.timeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(joinToken === undefined ? {} : { joinToken }),
        ...(prometheus === undefined
          ? {}
          : {
              query: (promql: string) =>
                queryPrometheus(
                  http,
                  { url: prometheus.url, ...(token === undefined ? {} : { token }) },
                  promql,
                  signal,
                ),
            }),
      },
      remembered.state,
    );
    let wake = (): void => {};
    if (webhook !== undefined) {
      const { address, port, certificateFile, keyFile } = webhook;
      server = await openWebhook({
        address,
        port,
        secret,
        vnf: config.vnf,
        log: run.progress,
        onWish: (wish) => {
          const taken = scaler.wish(wish);
          if (taken) wake();
          return taken;
        },
        ...(certificateFile === undefined || keyFile === undefined
          ? {}
          : {
              tls: {
                certificate: textOf(certificateFile, "certificateFile"),
                key: textOf(keyFile, "keyFile"),
              },
            }),
      });
      const scheme = certificateFile === undefined ? "http" : "https";
      run.progress(`webhooks at ${scheme}://${address}:${server.port}`);
      if (certificateFile === undefined && !/^(?:127\.|::1$|localhost$)/.test(address))
        run.progress("webhooks are taken without TLS beyond loopback: the secret can be read on the way");
    }
    const interval = (prometheus?.intervalSeconds ?? 30) * 1_000;
    while (signal?.aborted !== true) {
      await scaler.turn();
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      try {
        await Promise.race([pace.sleep(interval, signal), woken]);
      } catch {
        break;
      }
    }
    return 0;
  } finally {
    await server?.close();
    await http.close();
    state.unlock();
  }
}

function printUrls({ pools, webhook }: ScalerConfig, secret: string): number {
  if (webhook === undefined) {
    process.stderr.write("tidewater: there is no webhook in the configuration\n");
    return 1;
  }
  const base = `${webhook.certificateFile === undefined ? "http" : "https"}://${webhook.address}:${webhook.port}`;
  for (const pool of Object.keys(pools))
    for (const direction of ["out", "in"]) {
      const path = `/aodh/${pool}/${direction}`;
      console.log(`${base}${path}?signature=${signatureOf(path, secret)}`);
    }
  return 0;
}

function textOf(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${what} ${file}: ${code === "ENOENT" ? "there is no such file" : code}`);
  }
}

function secretOf(file: string): string {
  const secret = textOf(file, "secret").trim();
  if (secret.length >= 16 && !/\s/.test(secret)) return secret;
  throw new Error(`secret ${file}: one line of 16 characters at least is expected`);
}
