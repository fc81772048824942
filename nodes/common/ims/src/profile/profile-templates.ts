import { parseUserProfile } from "./parse-user-profile.ts";
import type { PublicIdentity, ServiceProfile, UserProfile, UserProfileResult } from "./user-profile.ts";

/** Kinds of profiles that are kept; an operator has a few, and each is compared with. */
const MAX_TEMPLATES = 16;
/** Longest profile that is looked at this way, characters. */
const LONGEST = 16_384;
/** What stands in XML as it is, without references, and is not trimmed. */
const PLAIN = /^[!-%'-;=?-~]{1,255}$/;
const PRIVATE_ID = ["<PrivateID>", "</PrivateID>"] as const;
const IDENTITY = ["<Identity>", "</Identity>"] as const;

/** What may be such an element for a reader of XML and is not for whoever looks for its tag: another prefix, white space, a processing instruction. */
const DISGUISED = /<\?(?!xml\s)|:(?:PrivateID|Identity)[\s>/]|<(?:PrivateID|Identity)[\s/]/;

/** A kind of profile, of which only PrivateID and Identity differ from user to user. */
interface Template {
  /** The document before, between and after them. */
  readonly pieces: readonly string[];
  /** Undefined: the texts do not stand where they seem to. */
  readonly profile: UserProfile | undefined;
}

/**
 * Reads User-Data (TS 29.228 annex E) as `parseUserProfile` does. Users of one kind have one document but for their identities: what was
 * parsed of the first one serves for all, filter criteria included, which are one object then.
 */
export class ProfileTemplates {
  /** A new one comes first, and one that serves goes up by a place. */
  readonly #templates: Template[] = [];

  /** Kinds of profiles known. */
  get size(): number {
    return this.#templates.length;
  }

  read(xml: string): UserProfileResult {
    const known = this.readKnown(xml);
    return known === undefined ? this.parse(xml) : { kind: "parsed", profile: known };
  }

  /** Parses it, and from now on knows its kind. */
  parse(xml: string): UserProfileResult {
    const result = parseUserProfile(xml);
    if (result.kind === "parsed" && xml.length <= LONGEST) this.#learn(xml, result.profile);
    return result;
  }

  /** A profile of a kind that is known; undefined: it has to be parsed. */
  readKnown(xml: string): UserProfile | undefined {
    if (xml.length > LONGEST) return undefined;
    const templates = this.#templates;
    for (let index = 0; index < templates.length; index++) {
      const template = templates[index] as Template;
      const texts = textsBetween(template.pieces, xml);
      if (texts === undefined) continue;
      if (index > 0) {
        templates[index] = templates[index - 1] as Template;
        templates[index - 1] = template;
      }
      return template.profile && filled(template.profile, texts);
    }
    return undefined;
  }

  #learn(xml: string, profile: UserProfile): void {
    const pieces = piecesOf(xml);
    const texts = pieces && textsBetween(pieces, xml);
    if (pieces === undefined || texts === undefined) return;
    if (this.#templates.some((known) => textsBetween(known.pieces, xml) !== undefined)) return;
    const serves = isFilled(profile, texts) && isOnlyOne(pieces.join(" "), PRIVATE_ID[0]);
    if (this.#templates.length === MAX_TEMPLATES) this.#templates.pop();
    this.#templates.unshift({ pieces, profile: serves ? profile : undefined });
  }
}

/** Undefined when a text has to be parsed to be known, or when tags may stand in a comment or a CDATA section. */
function piecesOf(xml: string): readonly string[] | undefined {
  if (xml.includes("<!") || DISGUISED.test(xml)) return undefined;
  const pieces: string[] = [];
  let end = 0;
  const next = ([open, close]: readonly [string, string]): "plain" | "other" | "none" => {
    const at = xml.indexOf(open, end);
    if (at < 0) return "none";
    const start = at + open.length;
    const after = xml.indexOf(close, start);
    if (after < 0 || !PLAIN.test(xml.slice(start, after))) return "other";
    pieces.push(flat(xml.slice(end, start)));
    end = after;
    return "plain";
  };
  if (next(PRIVATE_ID) !== "plain") return undefined;
  let found = next(IDENTITY);
  while (found === "plain") found = next(IDENTITY);
  if (found === "other") return undefined;
  pieces.push(flat(xml.slice(end)));
  return pieces;
}

/** The PrivateID and the identities in a document of these pieces; undefined when it is another one. */
function textsBetween(pieces: readonly string[], xml: string): readonly string[] | undefined {
  const texts: string[] = [];
  let at = 0;
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index] ?? "";
    if (!xml.startsWith(piece, at)) return undefined;
    at += piece.length;
    if (index === pieces.length - 1) return at === xml.length ? texts : undefined;
    const end = xml.indexOf("<", at);
    const text = end < 0 ? "" : xml.slice(at, end);
    if (!PLAIN.test(text)) return undefined;
    texts.push(text);
    at = end;
  }
  return undefined;
}

/** A copy that does not keep the document alive. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

/** The template with these texts, PrivateID first. */
function filled(template: UserProfile, texts: readonly string[]): UserProfile {
  let at = 1;
  const withIdentity = (one: PublicIdentity): PublicIdentity => ({
    ...one,
    identity: texts[at++] ?? one.identity,
  });
  const serviceProfiles = template.serviceProfiles.map(
    (service): ServiceProfile => ({
      ...service,
      publicIdentities: service.publicIdentities.map(withIdentity),
    }),
  );
  return { privateId: texts[0] ?? "", serviceProfiles };
}

/** Does it say what stands in these places, and in no others? Not so where the order of elements is another. */
function isFilled({ privateId, serviceProfiles }: UserProfile, [id, ...texts]: readonly string[]): boolean {
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
