/**
 * An IP address as the driver of a socket wants it. The word of an IPv4 address as it stands in memory, signed: a number that V8 keeps
 * without an object of its own. A text where the driver wants that, or for what is no address.
 */
export type WireAddress = number | string | Ipv6Words;

/** An IPv6 address as it stands in memory, in signed words. */
export class Ipv6Words {
  first = 0;
  second = 0;
  third = 0;
  fourth = 0;
  scope = 0;

  equals(other: Ipv6Words): boolean {
    return (
      this.fourth === other.fourth &&
      this.third === other.third &&
      this.second === other.second &&
      this.first === other.first &&
      this.scope === other.scope
    );
  }

  toString(): string {
    return [this.first, this.second, this.third, this.fourth, this.scope].join(".");
  }
}

export function isSameAddress(one: WireAddress, other: WireAddress): boolean {
  return one === other || (typeof one === "object" && typeof other === "object" && one.equals(other));
}
