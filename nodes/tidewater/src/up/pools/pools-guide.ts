import type { Process } from "./fleet.ts";
import type { UpPoolsOptions } from "./up-pools.ts";

/** What to do next, once all pools are ready. */
export function poolsGuide(
  { domain, seedExamples, stateDir, restart }: UpPoolsOptions,
  processes: readonly Process[],
  seconds: string,
): string {
  const of = (pool: string): readonly Process[] => processes.filter((one) => one.pool === pool);
  const list = processes.map(({ name, host, pid }) => `    ${name.padEnd(13)} ${host.padEnd(15)} pid ${pid}`);
  const api = of("homestead")[0];
  const url = `http://${api?.host}:${api?.ports["provisioning"]}`;
  const phones = of("bono").map(
    ({ host, ports }) => `    ${host}:${ports["udp"]} (UDP or TCP), ws://${host}:${ports["ws"]}`,
  );
  const user = seedExamples ? "6505550000" : "alice";
  const examples = seedExamples
    ? `    example subscribers: sip:6505550000@${domain} and sip:6505550001@${domain}, password secret (lab only)\n`
    : "";
  const first = of("bono")[0];
  const stateOption = `--state-dir ${stateDir}`;
  return `Tidewater is ready (${seconds} s), domain ${domain}:
${list.join("\n")}

Point softphones at any of these, better at several:
${phones.join("\n")}
    user name (authentication) ${user}@${domain}, SIP domain ${domain}
${examples}
Subscribers:       npm run tidewater -- subscriber add --impi alice@${domain} --impu sip:alice@${domain} --password-stdin --url ${url}
Other sizes:       npm run tidewater -- scale sprout=${of("sprout").length + 1} ${stateOption}
One after another: npm run tidewater -- restart sprout ${stateOption}
What runs:         npm run tidewater -- status ${stateOption}
Health, metrics:   http://${first?.host}:${first?.ports["management"]}/health/ready and so on with each address
${restart ? "A node that dies is started again." : "A node that dies stays down (--no-restart)."} State is kept in ${stateDir}. Ctrl-C stops everything.`;
}
