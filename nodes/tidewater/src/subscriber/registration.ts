import { type Registrations, readRegistrations } from "@ims/api";
import { Command } from "commander";
import { managementTokenOf } from "../operate/management-token.ts";
import { nodesOf } from "../operate/running-nodes.ts";
import { httpUrl } from "./http-url.ts";

const DEFAULT_URL = "http://127.0.0.1:9102";

interface Given {
  readonly stateDir: string;
  readonly sproutUrl?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

type Registration = Registrations["registrations"][number];

/** `tidewater subscriber registration <identity>`: what the S-CSCF keeps of one user at this moment. */
export function registrationCommand(): Command {
  return new Command("registration")
    .description("show the registration of one user: contacts and subscriptions, as the S-CSCF has them")
    .argument("<identity>", "public identity (sip:, tel:) or private identity")
    .option("--state-dir <dir>", "that of a running tidewater up, which names its sprouts", ".tidewater")
    .option(
      "--sprout-url <url>",
      `management port of any sprout of the pool, instead (also TIDEWATER_SPROUT_URL; without either, and without a state directory: ${DEFAULT_URL})`,
      httpUrl(DEFAULT_URL),
    )
    .option(
      "--token-file <file>",
      "file with the management token, needed beyond loopback (default: that of the state directory)",
    )
    .option("--json", "print JSON")
    .action(async (identity: string, { json, ...given }: Given) => {
      const sproutUrl = given.sproutUrl ?? process.env["TIDEWATER_SPROUT_URL"];
      const url = sproutUrl ?? sproutOf(given.stateDir) ?? DEFAULT_URL;
      const token = managementTokenOf({ ...given, named: sproutUrl !== undefined });
      const found = await readRegistrations({ url, token }, identity);
      process.stdout.write(`${json === true ? JSON.stringify(found) : textOf(found)}\n`);
    });
}

/** Any of those that run with a state directory. */
function sproutOf(stateDir: string): string | undefined {
  return nodesOf(stateDir).find(({ node }) => /^sprout(-\d+)?$/.test(node))?.url;
}

function textOf({ identity, serverName, registrations }: Registrations): string {
  if (registrations.length === 0) return `${identity} is not registered at ${serverName}`;
  return registrations.flatMap((one) => linesOf(one, serverName)).join("\n");
}

function linesOf(one: Registration, serverName: string): string[] {
  const others = one.publicIdentities
    .filter(({ impu }) => impu !== one.publicIdentity)
    .map(({ impu, barred }) => `  with ${printable(impu)}${barred ? ", barred" : ""}`);
  const held = one.heldUntil === undefined ? "" : `, until ${one.heldUntil}`;
  return [
    printable(one.publicIdentity),
    `  ${one.state}${held}, at ${serverName}`,
    ...others,
    ...one.bindings.flatMap(bindingLines),
    ...one.subscriptions.map(
      ({ subscriber, kind, target, expiresIn, unanswered }) =>
        `  subscription of ${printable(subscriber)} (${kind}), expires in ${expiresIn} s, to ${printable(target)}${
          unanswered === 0 ? "" : `, ${unanswered} NOTIFY unanswered`
        }`,
    ),
    ...(one.bindings.length === 0 ? ["  no contact"] : []),
    ...(one.subscriptions.length === 0 ? ["  no subscription"] : []),
  ];
}

function bindingLines(binding: Registration["bindings"][number]): string[] {
  const { contact, privateIdentity, instance, regId, path, expiresIn, emergency } = binding;
  const lines = [
    `  contact ${printable(contact)}, expires in ${expiresIn} s, by ${printable(privateIdentity)}${emergency ? ", emergency" : ""}`,
  ];
  if (instance !== undefined)
    lines.push(`    instance ${printable(instance)}${regId === undefined ? "" : `, reg-id ${regId}`}`);
  for (const hop of path) lines.push(`    path ${printable(hop)}`);
  return lines;
}

/** Text from the network, for a terminal: no control character of it acts there. */
function printable(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
