import {
  type ProvisioningClient,
  ProvisioningError,
  type RegistrationsPage,
  registrationsSchema,
  type Subscriber,
} from "@ims/api";
import type { Clock } from "@ims/runtime";
import type { CoreNode } from "./core-nodes.ts";
import type { CoreWatch } from "./core-watch.ts";
import type { NodeClient } from "./node-client.ts";
import type { SharedAnswers } from "./shared-answers.ts";
import type { Turns } from "./turns.ts";

const GOOD_MS = 2_000;
const PAGE = 20;
/** Questions to S-CSCFs that one page has under way. */
const AT_ONCE = 4;

export interface RegistrationsModules {
  readonly watch: CoreWatch;
  readonly client: NodeClient;
  readonly shared: SharedAnswers;
  readonly clock: Clock;
  readonly homestead: Pick<ProvisioningClient, "list">;
  readonly homeDomain: string;
  /** One page at a time. */
  readonly turns: Turns;
}

type Row = RegistrationsPage["rows"][number];
type Sets = Row["registrations"];

/** Subscribers of homestead with what an S-CSCF keeps of them; a name that homestead has not is asked for as it is. */
export function registrationsPage(
  { search = "", after = "" }: { readonly search?: string | undefined; readonly after?: string | undefined },
  modules: RegistrationsModules,
): Promise<RegistrationsPage> {
  const { shared, turns } = modules;
  return shared.get(`registrations ${after}\n${search}`, GOOD_MS, () =>
    turns.take(() => askedPage(search, after, modules)),
  );
}

async function askedPage(
  search: string,
  after: string,
  modules: RegistrationsModules,
): Promise<RegistrationsPage> {
  const { clock, homestead, watch } = modules;
  const { nodes, problems: away } = watch.reachable();
  const problems = new Set(away);
  const scscfs = nodes.filter(({ kind }) => kind === "sprout");
  if (scscfs.length === 0) problems.add("no sprout answers: what is registered is not known");
  const page = await homestead
    .list({
      limit: PAGE,
      ...(search === "" ? {} : { search }),
      ...(after === "" ? {} : { after }),
    })
    .catch((error: unknown) => {
      if (!(error instanceof ProvisioningError)) throw error;
      problems.add(`homestead does not list subscribers: ${error.message.slice(0, 200)}`);
      return undefined;
    });
  const found = page?.subscribers ?? [];
  const rows: Row[] = await inTurns(found, async (subscriber) =>
    rowOf(subscriber, scscfs, modules, problems),
  );
  if (rows.length === 0 && search !== "" && after === "")
    rows.push(...(await byName(search, scscfs, modules, problems)));
  return {
    time: new Date(clock.now()).toISOString(),
    rows,
    ...(page?.next === undefined ? {} : { next: page.next }),
    problems: [...problems],
  };
}

async function rowOf(
  { impi, publicIdentities }: Subscriber,
  scscfs: readonly CoreNode[],
  modules: RegistrationsModules,
  problems: Set<string>,
): Promise<Row> {
  const known = publicIdentities.find(({ barred }) => !barred) ?? publicIdentities[0];
  const registrations = known === undefined ? [] : await keptOf(known.impu, scscfs, modules, problems);
  return {
    privateIdentity: impi,
    publicIdentities: publicIdentities.map(({ impu }) => impu),
    ...(registrations === undefined ? {} : { registrations }),
  };
}

/** Where subscribers are in somebody else's HSS, a name is all there is. */
async function byName(
  name: string,
  scscfs: readonly CoreNode[],
  modules: RegistrationsModules,
  problems: Set<string>,
): Promise<readonly Row[]> {
  const names = /^(?:sips?|tel):|@/i.test(name)
    ? [name]
    : [`sip:${name}@${modules.homeDomain}`, `tel:${name}`];
  for (const one of names) {
    const registrations = await keptOf(one, scscfs, modules, problems);
    const [first] = registrations ?? [];
    if (first === undefined) continue;
    return [
      {
        privateIdentity: first.bindings[0]?.privateIdentity ?? "",
        publicIdentities: first.publicIdentities.map(({ impu }) => impu),
        ...(registrations === undefined ? {} : { registrations }),
      },
    ];
  }
  return [];
}

/** Any of them knows; undefined: none answers. */
async function keptOf(
  identity: string,
  scscfs: readonly CoreNode[],
  { client, watch }: RegistrationsModules,
  problems: Set<string>,
): Promise<Sets> {
  for (const node of scscfs) {
    if (watch.isAway(node)) continue;
    const said = await client.json(node.url, `/registrations/${encodeURIComponent(identity)}`);
    if (said.kind === "none") {
      if (said.status === 400) return [];
      if (said.status === 0) watch.told(node, false);
      problems.add(`${node.name}: ${said.problem}`);
      continue;
    }
    const read = registrationsSchema.safeParse(said.json);
    if (read.success) return read.data.registrations;
    problems.add(`${node.name}: what it keeps of ${identity} cannot be read`);
  }
  return undefined;
}

async function inTurns<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE)
    results.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map(work))));
  return results;
}
