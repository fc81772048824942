import type { Logger } from "@ims/runtime";
import { digestCredentials } from "./digest.ts";
import type { ProvisionedHss } from "./provisioned-hss.ts";
import { noServices } from "./subscriber.ts";

const NUMBERS = ["6505550000", "6505550001"] as const;

/** Adds the two lab subscribers unless they are there. Their password is public: for loopback only. */
export function seedExamples(hss: ProvisionedHss, domain: string, log: Logger): void {
  for (const number of NUMBERS) {
    const impi = `${number}@${domain}`;
    const result = hss.add({
      impi,
      identities: [
        { impu: `sip:${impi}`, barred: false },
        { impu: `tel:+1${number}`, barred: false },
      ],
      credentials: { digest: digestCredentials(impi, domain, "secret"), aka: undefined },
      services: noServices,
      sqn: 0,
    });
    if (result.kind === "written") log.info({ impi }, "example subscriber added");
  }
}

/** Whether an example subscriber is there and still has its public password. */
export function holdsExamples(hss: ProvisionedHss, domain: string): boolean {
  return NUMBERS.some((number) => {
    const impi = `${number}@${domain}`;
    const found = hss.byPrivateIdentity(impi)?.credentials.digest;
    return found !== undefined && found.ha1Md5 === digestCredentials(impi, found.realm, "secret").ha1Md5;
  });
}
