import { readFileSync } from "node:fs";
import { type NewSubscriber, ProvisioningClient, type Subscriber } from "@ims/api";
import { Command } from "commander";
import { httpUrl } from "./http-url.ts";
import { importCsv } from "./import-csv.ts";
import { type PasswordSource, passwordOf } from "./password.ts";
import { registrationCommand } from "./registration.ts";
import { givesServices, resourcePriority, type ServiceOptions, servicesOf, sharedSet } from "./services.ts";

const DEFAULT_URL = "http://127.0.0.1:8889";

interface Common {
  readonly url: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

interface Credentials extends PasswordSource {
  readonly k?: string;
  readonly opc?: string;
  readonly op?: string;
  readonly amf?: string;
  readonly sqn?: string;
}

interface Identities {
  readonly impu?: readonly string[];
  readonly barred?: readonly string[];
}

interface Added {
  readonly impi: string;
  readonly sharesWith?: string;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/**
 * `tidewater subscriber add|list|show|update|delete|import|deregister` over homestead's provisioning API, and `registration` over sprout's
 * management port.
 */
export function subscriberCommand(exit: (code: number) => void): Command {
  const root = new Command("subscriber").description(
    "add, list, show, update, delete and import subscribers, and see their registrations",
  );
  const sub = (name: string, description: string): Command =>
    root
      .command(name)
      .description(description)
      .option(
        "--url <url>",
        "provisioning API",
        httpUrl(DEFAULT_URL),
        process.env["TIDEWATER_PROVISIONING_URL"] ?? DEFAULT_URL,
      )
      .option("--token-file <file>", "file with the API token, where one is needed")
      .option("--json", "print JSON");
  const withIdentities = (command: Command): Command =>
    command
      .option("--impu <uri>", "public identity; repeat for an implicit registration set", collect)
      .option("--barred <uri>", "public identity that is barred; may be repeated", collect)
      .option(
        "--password <text>",
        "SIP Digest password (visible to others on this machine; better --password-stdin)",
      )
      .option("--password-file <file>", "file whose first line is the password")
      .option("--password-stdin", "read the password from standard input")
      .option("--k <hex>", "USIM key K, 32 hexadecimal digits")
      .option("--opc <hex>", "OPc of the USIM")
      .option("--op <hex>", "OP, from which OPc is computed")
      .option("--amf <hex>", "authentication management field")
      .option("--sqn <hex>", "highest sequence number already used")
      .option(
        "--ifc-file <file>",
        "XML file with the InitialFilterCriteria (TS 29.228 annex E); an empty list: none",
      )
      .option(
        "--shared-ifc-set <number>",
        "set of filter criteria that sprout keeps; may be repeated",
        sharedSet,
      )
      .option(
        "--resource-priority <value>",
        "what it may claim as Resource-Priority, the highest of a namespace (ets.0); may be repeated; none",
        resourcePriority,
      );

  withIdentities(sub("add", "add a subscriber"))
    .requiredOption("--impi <id>", "private identity, user@realm")
    .option(
      "--shares-with <impi>",
      "one more private identity of the subscription of that one: it may register the same public identities",
    )
    .action(async (given: Common & Credentials & Identities & ServiceOptions & Added, command: Command) => {
      const publicIdentities = identitiesOf(given);
      const services = servicesOf(given);
      if (given.sharesWith !== undefined) {
        if (publicIdentities.length > 0 || services !== undefined)
          command.error("error: --shares-with takes identities and services of the other; give none");
        const { impi, sharesWith } = given;
        const shared = { impi, sharesWith, credentials: (await credentialsOf(given)) ?? {} };
        const added = await clientOf(given).share(shared);
        return print(given, added, `added ${added.impi}, which shares the sets of ${sharesWith}`);
      }
      const added = await clientOf(given).add({
        impi: given.impi,
        publicIdentities: publicIdentities.length > 0 ? publicIdentities : [{ impu: `sip:${given.impi}` }],
        credentials: (await credentialsOf(given)) ?? {},
        ...(services === undefined ? {} : { services }),
      });
      print(given, added, `added ${added.impi}`);
    });
  sub("list", "list subscribers")
    .option("--search <text>", "only those whose identities contain this")
    .action(async (given: Common & { search?: string }) => {
      const client = clientOf(given);
      let after: string | undefined;
      do {
        const page = await client.list({
          limit: 500,
          ...(after === undefined ? {} : { after }),
          ...(given.search === undefined ? {} : { search: given.search }),
        });
        for (const one of page.subscribers) print(given, one, line(one));
        after = page.next;
      } while (after !== undefined);
    });
  sub("show", "show one subscriber")
    .argument("<impi>")
    .action(async (impi: string, given: Common) => {
      const one = await clientOf(given).get(impi);
      print(given, one, details(one));
    });
  withIdentities(sub("update", "change identities, credentials or services"))
    .argument("<impi>")
    .action(
      async (impi: string, given: Common & Credentials & Identities & ServiceOptions, command: Command) => {
        const publicIdentities = identitiesOf(given);
        const credentials = await credentialsOf(given);
        const serves = givesServices(given);
        if (publicIdentities.length === 0 && credentials === undefined && !serves)
          command.error("error: nothing to change: give identities, credentials or services");
        const client = clientOf(given);
        const services = serves ? servicesOf(given, (await client.get(impi)).services) : undefined;
        const changed = await client.update(impi, {
          ...(publicIdentities.length > 0 ? { publicIdentities } : {}),
          ...(credentials === undefined ? {} : { credentials }),
          ...(services === undefined ? {} : { services }),
        });
        print(given, changed, `updated ${changed.impi}`);
      },
    );
  sub("delete", "delete a subscriber")
    .argument("<impi>")
    .action(async (impi: string, given: Common) => {
      await clientOf(given).delete(impi);
      print(given, { deleted: impi }, `deleted ${impi}`);
    });
  sub("deregister", "end the registrations of a subscriber (RTR)")
    .argument("<impi>")
    .option("--again", "the user equipment is to register again at once (SERVER_CHANGE)")
    .action(async (impi: string, given: Common & { again?: boolean }) => {
      await clientOf(given).deregister(impi, given.again === true ? { reason: "SERVER_CHANGE" } : {});
      print(given, { deregistered: impi }, `deregistered ${impi}`);
    });
  sub(
    "import",
    "add subscribers from a CSV file with a header row: impi,impu,password,k,opc,op,amf,sqn,barred (several values separated by spaces)",
  )
    .argument("<file>", "CSV file")
    .option("--dry-run", "judge every row, change nothing")
    .option("--partial", "keep the good rows when others are wrong")
    .action(async (file: string, given: Common & { dryRun?: boolean; partial?: boolean }) => {
      exit(
        await importCsv(file, clientOf(given), {
          dryRun: given.dryRun === true,
          partial: given.partial === true,
          json: given.json === true,
        }),
      );
    });
  return root.addCommand(registrationCommand());
}

function clientOf({ url, tokenFile }: Common): ProvisioningClient {
  return new ProvisioningClient(
    url,
    tokenFile === undefined ? undefined : readFileSync(tokenFile, "utf8").trim(),
  );
}

function identitiesOf({ impu = [], barred = [] }: Identities): NewSubscriber["publicIdentities"] {
  return [...impu.map((one) => ({ impu: one })), ...barred.map((one) => ({ impu: one, barred: true }))];
}

async function credentialsOf(given: Credentials): Promise<NewSubscriber["credentials"] | undefined> {
  const password = await passwordOf(given);
  const credentials: Record<string, string> = {};
  for (const [name, value] of Object.entries({
    password,
    k: given.k,
    opc: given.opc,
    op: given.op,
    amf: given.amf,
    sqn: given.sqn,
  }))
    if (value !== undefined) credentials[name] = value;
  return Object.keys(credentials).length === 0 ? undefined : credentials;
}

function print({ json }: Common, value: unknown, text: string): void {
  process.stdout.write(`${json === true ? JSON.stringify(value) : text}\n`);
}

function line({ impi, publicIdentities }: Subscriber): string {
  return `${impi}  ${publicIdentities.map(({ impu, state }) => `${impu} (${state})`).join(", ")}`;
}

function details(one: Subscriber): string {
  const { impi, publicIdentities, authentication, services, sharesWith = [], registrationSets = [] } = one;
  const identities = publicIdentities.map(
    ({ impu, barred, state, serverName }) =>
      `  ${impu}  ${state}${barred ? ", barred" : ""}${serverName === undefined ? "" : `, at ${serverName}`}`,
  );
  const criteria = (services?.initialFilterCriteria ?? []).map(
    ({ priority, applicationServer: { serverName, defaultHandling } }) =>
      `  filter criteria ${priority}: ${serverName}, ${defaultHandling} without it`,
  );
  const sets = (services?.sharedIfcSetIds ?? []).map((id) => `  shared filter criteria: set ${id}`);
  const priorities = (services?.resourcePriorities ?? []).map((value) => `  may claim ${value}`);
  const proofs = `  authentication: ${authentication.join(", ")}`;
  const others = sharesWith.map((other) => `  same subscription: ${other}`);
  const together = registrationSets.map(
    ({ id, privateIdentities, serviceProfiles }) =>
      `  registration set ${id}: ${serviceProfiles.flatMap((each) => each.publicIdentities).join(", ") || "empty"}; of ${privateIdentities.join(", ")}`,
  );
  return [impi, proofs, ...others, ...identities, ...together, ...criteria, ...sets, ...priorities].join(
    "\n",
  );
}
