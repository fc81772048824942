import type { Clock, Logger, Timer } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import { digestCredentials } from "./digest.ts";
import { UNAVAILABLE, type Unavailable } from "./hss.ts";
import { noServices } from "./subscriber.ts";
import type { SubscriberRepository } from "./subscriber-repository.ts";

const NUMBERS = ["6505550000", "6505550001"] as const;
const RETRY_MS = 1000;

/**
 * Adds the two lab subscribers unless they are there; later, when the store is away. Their password is public: for
 * loopback only. Returns what ends the waiting.
 */
export async function seedExamples(
  subscribers: SubscriberRepository,
  domain: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<() => void> {
  let timer: Timer | undefined;
  let stopped = false;
  const seed = async (): Promise<void> => {
    for (const number of NUMBERS) {
      const impi = `${number}@${domain}`;
      const { kind } = await subscribers.insert(exampleOf(number, impi, domain));
      if (kind === "written") log.info({ impi }, "example subscriber added");
      if (kind !== "unavailable" || stopped) continue;
      timer = clock.setTimer(RETRY_MS, () => {
        seed().catch((err: unknown) =>
          log.error({ err, problemId: runtimeProblems.defect.id }, "example subscribers not added"),
        );
      });
      return;
    }
  };
  await seed();
  return () => {
    stopped = true;
    timer?.cancel();
  };
}

function exampleOf(
  number: string,
  impi: string,
  domain: string,
): Parameters<SubscriberRepository["insert"]>[0] {
  return {
    impi,
    identities: [
      { impu: `sip:${impi}`, barred: false },
      { impu: `tel:+1${number}`, barred: false },
    ],
    credentials: { digest: digestCredentials(impi, domain, "secret"), aka: undefined },
    services: noServices,
    sqn: 0,
  };
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
