import { uriHostOf } from "../nodes.ts";
import type { Process } from "./fleet.ts";
import type { UpPoolsOptions } from "./up-pools.ts";

/** What to do next, once all pools are ready. */
export function poolsGuide(
  { domain, seedExamples, stateDir, restart, workers }: UpPoolsOptions,
  processes: readonly Process[],
  seconds: string,
): string {
  const of = (pool: string): readonly Process[] => processes.filter((one) => one.pool === pool);
  const list = processes.map(({ name, host, pid }) => `    ${name.padEnd(13)} ${host.padEnd(15)} pid ${pid}`);
  const api = of("homestead")[0];
  const url = `http://${api?.host}:${api?.ports["provisioning"]}`;
  const access = workers === undefined ? of("bono") : of("bono").slice(0, 1);
  const phones = access.map(({ host: own, ports }) => {
    const host = uriHostOf(workers?.host ?? own);
    return `    ${host}:${ports["udp"]} (UDP or TCP), ws://${host}:${ports["ws"]}`;
  });
  const user = seedExamples ? "6505550000" : "alice";
  const examples = seedExamples
    ? `    example subscribers: sip:6505550000@${domain} and sip:6505550001@${domain}, password secret (lab only)\n`
    : "";
  const first = of("bono")[0];
  const stateOption = `--state-dir ${stateDir}`;
  return `Tidewater is ready (${seconds} s), domain ${domain}:
${list.join("\n")}

${workers === undefined ? "Point softphones at any of these, better at several" : `Point softphones here; each is served by one of ${workers.count} workers`}:
${phones.join("\n")}
    user name (authentication) ${user}@${domain}, SIP domain ${domain}
${examples}
Subscribers:       npm run tidewater -- subscriber add --impi alice@${domain} --impu sip:alice@${domain} --password-stdin --url ${url}
${workers === undefined ? `Other sizes:       npm run tidewater -- scale sprout=${of("sprout").length + 1} ${stateOption}\n` : ""}One after another: npm run tidewater -- restart ${workers === undefined ? "sprout" : "worker"} ${stateOption}
What runs:         npm run tidewater -- status ${stateOption}
Health, metrics:   ${workers === undefined ? `http://${first?.host}:${first?.ports["management"]}/health/ready and so on with each address` : `http://${uriHostOf(workers.host)}:9101/health/ready of all bonos, 9102 of all sprouts; of each worker on its own address`}
${restart ? "A node that dies is started again." : "A node that dies stays down (--no-restart)."} State is kept in ${stateDir}. Ctrl-C stops everything.`;
}
