import { telOfPhoneUri } from "@ims/ims";
import { countryCodeOf } from "./country-codes.ts";

/** Where a user is: what P-Visited-Network-ID and P-Access-Network-Info say; "" where they say nothing. */
export interface Location {
  readonly visitedNetwork: string;
  /** MCC and MNC, with the beginning of the cell behind. */
  readonly cell: string;
}

export const NOWHERE: Location = { visitedNetwork: "", cell: "" };

/** Which numbers are abroad and which networks foreign: TS 24.611 §4.9. */
export class HomeNetwork {
  readonly #countryCode: string;
  readonly #internationalPrefix: string;
  readonly #networks: readonly string[];
  readonly #plmns: readonly string[];

  constructor(given: {
    readonly countryCode: string;
    readonly internationalPrefix: string;
    readonly networks: readonly string[];
    readonly homeDomain: string;
  }) {
    this.#countryCode = given.countryCode;
    this.#internationalPrefix = given.internationalPrefix;
    this.#networks = [given.homeDomain, ...given.networks];
    this.#plmns = given.networks.filter((each) => /^[0-9]{5,6}$/.test(each));
  }

  /** Registered by another network than the home network. Unknown: no. */
  isRoaming({ visitedNetwork, cell }: Location): boolean {
    if (visitedNetwork !== "")
      return !this.#networks.includes(visitedNetwork) && !this.#plmns.includes(plmnOf(visitedNetwork));
    return cell !== "" && this.#plmns.length > 0 && !this.#plmns.some((plmn) => cell.startsWith(plmn));
  }

  /** A number of another country than the one where the user is. */
  isInternational(requestUri: string, location: Location): boolean {
    const digits = this.#digitsOf(requestUri);
    const here = this.#codeAt(location);
    return digits !== undefined && here !== "" && !digits.startsWith(here);
  }

  /** The same, and not of the home country either. */
  isInternationalExHomeCountry(requestUri: string, location: Location): boolean {
    const digits = this.#digitsOf(requestUri);
    return (
      digits !== undefined &&
      this.#countryCode !== "" &&
      !digits.startsWith(this.#countryCode) &&
      this.isInternational(requestUri, location)
    );
  }

  #codeAt({ visitedNetwork, cell }: Location): string {
    const mcc = cell !== "" ? cell.slice(0, 3) : plmnOf(visitedNetwork).slice(0, 3);
    return countryCodeOf(mcc) ?? this.#countryCode;
  }

  /** With the country code in front; undefined for what is no telephone number, or one of this country. */
  #digitsOf(requestUri: string): string | undefined {
    const uri = telOfPhoneUri(requestUri) ?? requestUri;
    const [, plus, number] =
      /^tel:(\+?)([0-9().-]+)/i.exec(uri) ??
      (/;user=phone(?:[;?]|$)/i.test(uri) ? /^sips?:(\+?)([0-9().-]+)/i.exec(uri) : null) ??
      [];
    if (number === undefined) return undefined;
    const digits = number.replace(/[^0-9]/g, "");
    if (plus === "+") return digits;
    // RFC 3966 §5.1.5: a local number means what its context says.
    const [, context] = /;phone-context=\+([0-9().-]+)/i.exec(requestUri) ?? [];
    if (context !== undefined) return context.replace(/[^0-9]/g, "") + digits;
    const prefix = this.#internationalPrefix;
    return digits.startsWith(prefix) ? digits.slice(prefix.length) : undefined;
  }
}

/** MCC and MNC of a network's domain name (TS 23.003 §13.2): "ims.mnc001.mcc262.3gppnetwork.org". */
function plmnOf(network: string): string {
  const [, mnc = "", mcc = ""] = /\bmnc([0-9]{2,3})\.mcc([0-9]{3})\b/.exec(network) ?? [];
  return mcc + (mnc.length === 3 && mnc.startsWith("0") ? mnc.slice(1) : mnc);
}
