import { canonicalImpu } from "@ims/ims";
import { decimal, parseNameAddr, type SipMessage, unquote } from "@ims/sip";
import { type KvStore, update } from "@ims/store";
import { type Location, NOWHERE } from "./home-network.ts";

const TABLE = "mmtel-location";
const MAX_TTL_SECONDS = 86_400;
const MAX_TEXT = 255;

/** Where users were when they registered last: told by third-party REGISTER (TS 24.229 §5.4.1.7), shared by the pool. */
export class Locations {
  readonly #store: KvStore | undefined;

  constructor(store: KvStore | undefined) {
    this.#store = store;
  }

  /** Keeps what a third-party REGISTER says. Best effort: without it nobody is taken to be abroad. */
  async note(register: SipMessage): Promise<void> {
    const impu = canonicalImpu(parseNameAddr(register.header("To") ?? "")?.uriText ?? "");
    if (this.#store === undefined || impu === undefined) return;
    const location = locationIn(register);
    const ttlSeconds = Math.min(decimal(register.header("Expires") ?? "") ?? 0, MAX_TTL_SECONDS);
    const text = `${location.visitedNetwork}\n${location.cell}`;
    const value = Buffer.from(text);
    await update(this.#store, TABLE, impu, (before) => {
      if (ttlSeconds > 0 && text !== "\n") return { kind: "put", value, ttlSeconds };
      return before === undefined ? { kind: "keep" } : { kind: "delete" };
    });
  }

  async of(impu: string): Promise<Location> {
    const found = await this.#store?.get(TABLE, impu);
    if (found?.kind !== "found") return NOWHERE;
    const [visitedNetwork = "", cell = ""] = Buffer.from(found.value).toString().split("\n");
    return { visitedNetwork, cell };
  }
}

/** What a request says of where its sender is. */
export function locationIn(request: SipMessage): Location {
  const visited = request.top("P-Visited-Network-ID") ?? "";
  const network = unquote(visited.split(";")[0]?.trim() ?? "").toLowerCase();
  const access = request.header("P-Access-Network-Info") ?? "";
  // RFC 7315 §5.4: cell identities of 3GPP begin with MCC and MNC.
  const [, cell = ""] =
    /;\s*(?:utran-cell-id-3gpp|cgi-3gpp|utran-sai-3gpp)\s*=\s*"?([0-9]{5,6})/i.exec(access) ?? [];
  return { visitedNetwork: network.length > MAX_TEXT || network.includes("\n") ? "" : network, cell };
}
