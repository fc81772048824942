import type { Logger } from "@ims/runtime";
import { digestCredentials } from "./digest.ts";
import { UNAVAILABLE, type Unavailable } from "./hss.ts";
import { noServices } from "./subscriber.ts";
import type { SubscriberRepository } from "./subscriber-repository.ts";

const NUMBERS = ["6505550000", "6505550001"] as const;

/** Adds the two lab subscribers unless they are there. Their password is public: for loopback only. */
export async function seedExamples(hss: SubscriberRepository, domain: string, log: Logger): Promise<void> {
  for (const number of NUMBERS) {
    const impi = `${number}@${domain}`;
    const result = await hss.insert({
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
    if (result.kind === "unavailable") log.warn({ impi }, "example subscriber not added: the store is away");
  }
}

/** Whether an example subscriber is there and still has its public password. */
export async function holdsExamples(
  subscribers: SubscriberRepository,
  domain: string,
): Promise<boolean | Unavailable> {
  for (const number of NUMBERS) {
    const impi = `${number}@${domain}`;
    const found = await subscribers.byPrivateIdentity(impi);
    if (found === UNAVAILABLE) return UNAVAILABLE;
    const digest = found?.credentials.digest;
    if (digest?.ha1Md5 === digestCredentials(impi, digest?.realm ?? "", "secret").ha1Md5) return true;
  }
  return false;
}
