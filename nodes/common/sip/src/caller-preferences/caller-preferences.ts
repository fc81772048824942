import { HeaderSet } from "../message/header-names.ts";
import type { SipMessage } from "../message/message.ts";
import { Parameters } from "../message/parameters.ts";
import { type FeatureSet, featureSetOf, featuresNamed, valuesAgree } from "./feature-set.ts";

/** More values of Accept-Contact or Reject-Contact than any caller has reason for. */
const MAX_PREDICATES = 8;

const EXPLICIT = new HeaderSet(["Accept-Contact", "Reject-Contact"]);

/** One value of Accept-Contact: RFC 3841 §9.2. */
interface Wanted {
  readonly features: FeatureSet;
  readonly require: boolean;
  readonly explicit: boolean;
}

/** What a caller wants of the contacts of the callee: RFC 3841 §7.2. */
export class CallerPreferences {
  readonly #wanted: readonly Wanted[];
  readonly #unwanted: readonly FeatureSet[];
  /** Nothing is said, but a method and maybe an event package have to be understood (§7.2.2). */
  readonly #implicit: boolean;

  constructor(request: SipMessage) {
    this.#implicit = !request.hasAny(EXPLICIT);
    if (this.#implicit) {
      this.#wanted = [{ features: impliedBy(request), require: true, explicit: false }];
      this.#unwanted = [];
      return;
    }
    this.#wanted = predicates(request, "Accept-Contact").flatMap((parameters) => {
      const features = featureSetOf(parameters);
      const wanted = { features, require: parameters.has("require"), explicit: parameters.has("explicit") };
      return features.size === 0 ? [] : [wanted];
    });
    this.#unwanted = predicates(request, "Reject-Contact")
      .map(featureSetOf)
      .filter(({ size }) => size > 0);
  }

  /**
   * How well a contact suits, in thousandths (Qa of §7.2.4); undefined: it is not to be tried. `parameters`: header parameters of
   * the Contact, ";" first.
   */
  suits(parameters: string): number | undefined {
    const contact = featureSetOf(Parameters.parse(parameters) ?? new Parameters());
    // §7.2.3: who has not said what he can do is immune.
    if (contact.size === 0) return 1000;
    for (const unwanted of this.#unwanted)
      if (termsNamed(contact, unwanted) === unwanted.size && matches(contact, unwanted)) return undefined;
    let sum = 0;
    let met = 0;
    for (const { features, require, explicit } of this.#wanted) {
      const isMatch = matches(contact, features);
      const named = termsNamed(contact, features);
      if (require && (!isMatch || (explicit && named < features.size))) return undefined;
      if (!isMatch) continue;
      met++;
      if (!explicit || named === features.size) sum += named / features.size;
    }
    // What is only implied leaves contacts out, it does not order them: whether a phone lists its methods tells nothing of it.
    if (this.#wanted.length === 0 || this.#implicit) return 1000;
    return met === 0 ? 0 : Math.round((1000 * sum) / met);
  }
}

/** A term about which the contact says nothing is met (RFC 2533 §4). */
function matches(contact: FeatureSet, wanted: FeatureSet): boolean {
  for (const [tag, values] of wanted) {
    const had = contact.get(tag);
    if (had !== undefined && !valuesAgree(values, had)) return false;
  }
  return true;
}

function termsNamed(contact: FeatureSet, wanted: FeatureSet): number {
  let count = 0;
  for (const tag of wanted.keys()) if (contact.has(tag)) count++;
  return count;
}

/** §7.2.2: the method, and the event package of requests that have one. */
function impliedBy(request: SipMessage): FeatureSet {
  const [event = ""] = (request.header("Event") ?? "").split(";", 1);
  const methods = request.method;
  return featuresNamed(event.trim() === "" ? { methods } : { methods, events: event.trim() });
}

/** Parameters of the values that can be read: "*" and what follows it. */
function predicates(request: SipMessage, name: "Accept-Contact" | "Reject-Contact"): readonly Parameters[] {
  return request
    .values(name)
    .slice(0, MAX_PREDICATES)
    .flatMap((value) => (value.startsWith("*") ? (Parameters.parse(value, 1) ?? []) : []));
}
