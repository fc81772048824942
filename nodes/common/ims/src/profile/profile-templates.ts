import { parseUserProfile } from "./parse-user-profile.ts";
import type { PublicIdentity, ServiceProfile, UserProfile, UserProfileResult } from "./user-profile.ts";

/** A profile of which only PrivateID and Identity differ from user to user; undefined: its texts do not stand where they seem to. */
type Template = UserProfile | undefined;

/** Kinds of profiles that are kept; an operator has a few. */
const MAX_TEMPLATES = 256;
/** Longest profile that is looked at this way, characters. */
const LONGEST = 16_384;
/** What stands in XML as it is, without references, and is not trimmed. */
const PLAIN = /^[!-%'-;=?-~]{1,255}$/;
const PRIVATE_ID = ["<PrivateID>", "</PrivateID>"] as const;
const IDENTITY = ["<Identity>", "</Identity>"] as const;
/** Between the parts of a document; not in XML. */
const GAP = "\u0000";

/**
 * Reads User-Data (TS 29.228 annex E) as `parseUserProfile` does. Users of one kind have one document but for their identities: what was
 * parsed of the first one serves for all, filter criteria included, which are one object then.
 */
export class ProfileTemplates {
  readonly #templates = new Map<string, Template>();

  /** Kinds of profiles known. */
  get size(): number {
    return this.#templates.size;
  }

  read(xml: string): UserProfileResult {
    const parts = xml.length <= LONGEST ? partsOf(xml) : undefined;
    if (parts === undefined) return parseUserProfile(xml);
    const { skeleton, privateId, identities } = parts;
    const known = this.#templates.get(skeleton);
    if (known !== undefined) return { kind: "parsed", profile: filled(known, privateId, identities) };
    const result = parseUserProfile(xml);
    if (result.kind === "parsed" && !this.#templates.has(skeleton)) {
      // The oldest: what is asked for all the time is soon known again.
      const [oldest] = this.#templates.size >= MAX_TEMPLATES ? this.#templates.keys() : [];
      if (oldest !== undefined) this.#templates.delete(oldest);
      const { profile } = result;
      const serves = isFilled(profile, privateId, identities) && isOnlyOne(skeleton, PRIVATE_ID[0]);
      this.#templates.set(skeleton, serves ? profile : undefined);
    }
    return result;
  }
}

interface Parts {
  /** The document without them. */
  readonly skeleton: string;
  readonly privateId: string;
  /** In the order of the document. */
  readonly identities: readonly string[];
}

/** Undefined when a text has to be parsed to be known, or when tags may stand in a comment or a CDATA section. */
function partsOf(xml: string): Parts | undefined {
  if (xml.includes("<!")) return undefined;
  let end = 0;
  let skeleton = "";
  const next = ([open, close]: readonly [string, string]): string | undefined => {
    const at = xml.indexOf(open, end);
    if (at < 0) return undefined;
    const start = at + open.length;
    const after = xml.indexOf(close, start);
    const text = after < 0 ? "" : xml.slice(start, after);
    if (!PLAIN.test(text)) return "";
    skeleton += xml.slice(end, start) + GAP;
    end = after;
    return text;
  };
  const privateId = next(PRIVATE_ID);
  if (privateId === undefined || privateId === "") return undefined;
  const identities: string[] = [];
  for (let text = next(IDENTITY); text !== undefined; text = next(IDENTITY)) {
    if (text === "") return undefined;
    identities.push(text);
  }
  return { skeleton: skeleton + xml.slice(end), privateId, identities };
}

function filled(template: UserProfile, privateId: string, identities: readonly string[]): UserProfile {
  let at = 0;
  const withIdentity = (one: PublicIdentity): PublicIdentity => ({
    ...one,
    identity: identities[at++] ?? one.identity,
  });
  const serviceProfiles = template.serviceProfiles.map(
    (service): ServiceProfile => ({
      ...service,
      publicIdentities: service.publicIdentities.map(withIdentity),
    }),
  );
  return { privateId, serviceProfiles };
}

/** Does it say what stands in these places, and in no others? Not so where the order of elements is another. */
function isFilled(
  { privateId, serviceProfiles }: UserProfile,
  id: string,
  texts: readonly string[],
): boolean {
  const identities = serviceProfiles.flatMap(({ publicIdentities }) => publicIdentities);
  return (
    privateId === id &&
    identities.length === texts.length &&
    identities.every(({ identity }, at) => identity === texts[at])
  );
}

function isOnlyOne(text: string, part: string): boolean {
  return text.indexOf(part) === text.lastIndexOf(part);
}
