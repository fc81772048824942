import { BlockList, isIP } from "node:net";
import type { TableResult } from "@ims/runtime";
import { hostForUri, parseUri, type Uri } from "@ims/sip";
import type { z } from "zod";
import type { NumberRule } from "./numbers.ts";
import type { peerEntry, peersFile } from "./peers-file.ts";

/** Where requests for a peer go. */
export interface TrunkTarget {
  readonly text: string;
  readonly uri: Uri;
}

/** Another network or a PBX with which requests are exchanged (Ici, Mx; TS 24.229 §5.10). */
export interface Peer {
  readonly name: string;
  /** Inside our trust domain by agreement: TS 24.229 §4.4, Spec(T) of RFC 3325. */
  readonly trusted: boolean;
  /** Its inter operator identifier, for peers that do not say it themselves. */
  readonly ioi: string | undefined;
  readonly domains: readonly string[];
  /** In the order to try; none: by the Request-URI. */
  readonly targets: readonly TrunkTarget[];
  readonly rotates: boolean;
  readonly optionsSeconds: number;
  readonly answerMs: number;
  /** Numbers go out as SIP URIs of this host; undefined: as they are. */
  readonly numberHost: string | undefined;
  readonly incomingNumbers: readonly NumberRule[];
  readonly outgoingNumbers: readonly NumberRule[];
  /** Methods that it may send; undefined: all. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly bodyTypes: ReadonlySet<string> | undefined;
  readonly mediaTypes: ReadonlySet<string> | undefined;
  readonly removedHeaders: readonly string[];
  /** On whose behalf its requests are originating requests of our network, and whether each has to be proven. */
  readonly served: { readonly user: string; readonly authenticates: boolean } | undefined;
  /** Who it may say that calls, in place of an identity asserted: numbers that begin so, else the default. */
  readonly identity: { readonly numbers: readonly string[]; readonly usual: string | undefined };
}

type Entry = z.output<typeof peerEntry>;

/** All peers, by where they send from, by domain and by name. */
export class PeerTable {
  readonly #byName = new Map<string, Peer>();
  readonly #byAddress = new Map<string, Peer>();
  readonly #networks: { readonly list: BlockList; readonly peer: Peer }[] = [];
  readonly #byDomain = new Map<string, Peer>();

  get peers(): Iterable<Peer> {
    return this.#byName.values();
  }

  named(name: string): Peer | undefined {
    return this.#byName.get(name);
  }

  /** Whose address is this? Addresses count before networks. */
  from(address: string): Peer | undefined {
    const exact = this.#byAddress.get(address);
    if (exact !== undefined || this.#networks.length === 0) return exact;
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    return this.#networks.find(({ list }) => list.check(address, family))?.peer;
  }

  /** For requests to a domain: the same, then the nearest `*.domain`, then `*`. */
  towards(host: string): Peer | undefined {
    const exact = this.#byDomain.get(host);
    if (exact !== undefined) return exact;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const below = this.#byDomain.get(`*${host.slice(dot)}`);
      if (below !== undefined) return below;
    }
    return this.#byDomain.get("*");
  }

  /** What is wrong with it beside the others. */
  add(peer: Peer, addresses: readonly string[]): string | undefined {
    if (this.#byName.has(peer.name)) return `.name: "${peer.name}" is there already`;
    this.#byName.set(peer.name, peer);
    for (const [index, text] of addresses.entries()) {
      const problem = this.#addAddress(text, peer);
      if (problem !== undefined) return `.addresses.${index}: ${problem}`;
    }
    for (const [index, domain] of peer.domains.entries()) {
      if (this.#byDomain.has(domain)) return `.domains.${index}: "${domain}" is another peer's`;
      this.#byDomain.set(domain, peer);
    }
    return undefined;
  }

  #addAddress(text: string, peer: Peer): string | undefined {
    const [address = "", length, more] = text.split("/");
    const family = isIP(address);
    if (family === 0 || more !== undefined) return `"${text}" is no address and no network`;
    if (length === undefined) {
      const known = this.#byAddress.get(canonicalAddress(address));
      if (known !== undefined && known !== peer) return `"${text}" is another peer's`;
      this.#byAddress.set(canonicalAddress(address), peer);
      return undefined;
    }
    const bits = /^[0-9]{1,3}$/.test(length) ? Number(length) : 999;
    if (bits > (family === 4 ? 32 : 128)) return `"${text}" is no network`;
    // Everybody is no peer.
    if (bits === 0) return `"${text}" is the whole world`;
    const list = new BlockList();
    list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
    this.#networks.push({ list, peer });
    return undefined;
  }
}

/** Checks what a schema cannot: URIs, and that nothing is there twice. */
export function makePeers({ peers }: z.output<typeof peersFile>): TableResult<PeerTable> {
  const table = new PeerTable();
  for (const [index, entry] of peers.entries()) {
    const targets =
      entry.authenticate && entry.served_user === undefined
        ? ".authenticate: needs a served_user"
        : targetsOf(entry);
    const problem =
      typeof targets === "string" ? targets : table.add(peerOf(entry, targets), addressesOf(entry, targets));
    if (problem !== undefined) return { kind: "bad", problem: `peers.${index}${problem}` };
  }
  return { kind: "table", table };
}

function targetsOf({ targets }: Entry): readonly TrunkTarget[] | string {
  const made: TrunkTarget[] = [];
  for (const [index, text] of targets.entries()) {
    const uri = parseUri(text);
    if (uri === undefined || (uri.scheme !== "sip" && uri.scheme !== "sips") || uri.headers !== "")
      return `.targets.${index}: "${text}" is no SIP URI`;
    made.push({ text, uri });
  }
  return made;
}

/** Without addresses of its own a peer sends from where it is reached. */
function addressesOf({ addresses }: Entry, targets: readonly TrunkTarget[]): readonly string[] {
  if (addresses !== undefined) return addresses;
  return [...new Set(targets.map(({ uri }) => uri.host).filter((host) => isIP(host) !== 0))];
}

function peerOf(entry: Entry, targets: readonly TrunkTarget[]): Peer {
  const named = entry.domains.find((domain) => !domain.startsWith("*"));
  const host = entry.number_host ?? named ?? targets[0]?.uri.host;
  return {
    name: entry.name,
    trusted: entry.trusted,
    ioi: entry.ioi,
    domains: entry.domains,
    targets,
    rotates: entry.order === "rotate",
    optionsSeconds: entry.options_seconds,
    answerMs: entry.answer_ms,
    numberHost: entry.number_form === "sip" && host !== undefined ? hostForUri(host) : undefined,
    incomingNumbers: entry.incoming_numbers,
    outgoingNumbers: entry.outgoing_numbers,
    methods: setOf(entry.methods),
    bodyTypes: setOf(entry.body_types),
    mediaTypes: setOf(entry.media_types),
    removedHeaders: entry.remove_headers,
    served:
      entry.served_user === undefined
        ? undefined
        : { user: entry.served_user, authenticates: entry.authenticate },
    identity: { numbers: entry.identity?.numbers ?? [], usual: entry.identity?.default ?? entry.served_user },
  };
}

function setOf(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values === undefined ? undefined : new Set(values);
}

/** In the spelling in which the sockets show addresses (RFC 5952). */
function canonicalAddress(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

/** Who is in the file no more: nothing is believed, nothing told. */
export const STRANGER: Peer = {
  name: "-",
  trusted: false,
  ioi: undefined,
  domains: [],
  targets: [],
  rotates: false,
  optionsSeconds: 0,
  answerMs: 4_000,
  numberHost: undefined,
  incomingNumbers: [],
  outgoingNumbers: [],
  methods: undefined,
  bodyTypes: undefined,
  mediaTypes: undefined,
  removedHeaders: [],
  served: undefined,
  identity: { numbers: [], usual: undefined },
};
