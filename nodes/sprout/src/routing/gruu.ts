import type { KeyObject } from "node:crypto";
import { canonicalImpu, grOf, grParameter, publicGruu, temporaryGruu, temporaryGruuTarget } from "@ims/ims";
import type { Binding } from "../store/registration.ts";

/** GRUUs of the home network: TS 24.229 §5.4.7A, RFC 5627. */
export class Gruus {
  readonly #key: KeyObject;
  readonly #domain: string;

  /** `key`: 16 octets, one for the whole pool. */
  constructor(key: KeyObject, domain: string) {
    this.#key = key;
    this.#domain = domain;
  }

  /** ;pub-gruu and ;temp-gruu of a Contact in the 200, "" for a UE without GRUU support. */
  parametersFor(impu: string, binding: Binding): string {
    const gruu = this.of(impu, binding);
    return gruu === undefined ? "" : `;pub-gruu="${gruu.open}";temp-gruu="${gruu.hidden()}"`;
  }

  /** GRUUs of a contact for a document; undefined when it has none. A temporary one is made when it is asked for. */
  of(impu: string, binding: Binding): { readonly open: string; hidden(): string } | undefined {
    const open = binding.gruu && binding.instance !== "" ? publicGruu(impu, binding.instance) : undefined;
    return open === undefined ? undefined : { open, hidden: () => this.#temporary(impu, binding) };
  }

  #temporary(impu: string, { instance, gruuSince }: Binding): string {
    const epoch = gruuSince.toString(36);
    return temporaryGruu({ impu, instanceId: instance, epoch }, this.#domain, this.#key);
  }

  /** The user that a GRUU belongs to; undefined for any other URI. */
  resolve(uri: string): { impu: string; matches: (binding: Binding) => boolean } | undefined {
    const gr = grParameter(uri);
    if (gr === undefined) return undefined;
    if (gr !== "") {
      const impu = canonicalImpu(uri);
      return impu === undefined
        ? undefined
        : { impu, matches: ({ gruu, instance }) => gruu && instance !== "" && grOf(instance) === gr };
    }
    const target = temporaryGruuTarget(uri, this.#key);
    if (target === undefined) return undefined;
    const { impu, instanceId, epoch } = target;
    return {
      impu,
      matches: ({ gruu, instance, gruuSince }) =>
        gruu && instance === instanceId && gruuSince.toString(36) === epoch,
    };
  }
}
