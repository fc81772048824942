import {
  type Clock,
  createHealth,
  createLogger,
  metricsRegister,
  type Service,
  type ServiceModules,
  systemClock,
  type Timer,
  Trail,
} from "@ims/runtime";
import { DEFAULT_TIMERS } from "@ims/sip";
import { type BonoOptions, bonoOptions } from "../options.ts";
import { createBono } from "../service.ts";
import { LOOPBACK } from "./stand-in.ts";
import { StandInHome } from "./stand-in-home.ts";
import { StandInUe } from "./stand-in-ue.ts";

/** Half of them over TCP, half over UDP. */
const UES = 8;
/** What has not ended by then is given up, ms: a datagram is lost, or the machine stands still. */
const LONGEST_MS = 3_000;
/** RFC 3261 timer J and its like end soon after the rehearsal: nothing of it lives on. */
const TIMERS = { ...DEFAULT_TIMERS, t1: 50 };
/** After so many rounds more of them bring nothing. */
const ENOUGH = 40;

/** What was done until time was up. */
export interface Rehearsed {
  registrations: number;
  calls: number;
}

/**
 * Registers and calls through a P-CSCF on loopback that lives for `rehearsalMs`, so that this process has compiled what it will be asked for: the
 * first registration of a new process costs some ten times what the hundredth does, and after the end of another member all its UEs come at once.
 * It shares nothing with the one that serves. Only with a pools file: who is alone had better serve at once.
 */
export async function rehearse(
  { rehearsalMs, poolsFile, homeDomain }: BonoOptions,
  { pacer }: Pick<ServiceModules, "pacer">,
  longestMs = LONGEST_MS,
): Promise<Rehearsed> {
  const done: Rehearsed = { registrations: 0, calls: 0 };
  if (rehearsalMs === 0 || poolsFile === "") return done;
  const clock = systemClock();
  const home = new StandInHome(clock);
  const open: Pick<Service, "stop">[] = [home];
  let giveUp: Timer | undefined;
  try {
    const icscf = await home.start();
    const bono = pcscf(icscf, homeDomain, { pacer, clock });
    open.push(bono);
    await bono.start();
    const { "core-tcp": core = 0, tcp = 0, udp = 0 } = bono.ports?.() ?? {};
    home.knows(core);
    const ues = Array.from({ length: UES }, (_, i) => {
      const to =
        i % 2 === 0 ? ({ protocol: "TCP", port: tcp } as const) : ({ protocol: "UDP", port: udp } as const);
      return new StandInUe(`ue${i}`, to, clock);
    });
    open.push(...ues);
    await Promise.all(ues.map((ue) => ue.start()));
    await new Promise<void>((resolve, reject) => {
      giveUp = clock.setTimer(longestMs, resolve);
      rounds(ues, done, () => clock.monotonic(), rehearsalMs).then(resolve, reject);
    });
  } finally {
    giveUp?.cancel();
    await Promise.all(open.map((one) => one.stop()));
  }
  return done;
}

function pcscf(icscf: number, homeDomain: string, modules: Pick<ServiceModules, "pacer" | "clock">): Service {
  const options = bonoOptions.parse({
    ...{ host: LOOPBACK, sipPort: 0, wsPort: 0, corePort: 0, homeDomain },
    icscfUri: `sip:${LOOPBACK}:${icscf};transport=tcp`,
  });
  return createBono(options, {
    ...{ ...modules, timers: TIMERS },
    log: createLogger({ name: "rehearsal", level: "silent" }),
    register: metricsRegister(),
    health: createHealth(),
    trail: new Trail({ bytes: 1_000_000, steps: 100, clock: modules.clock }),
  });
}

async function rounds(
  ues: readonly StandInUe[],
  done: Rehearsed,
  now: Clock["monotonic"],
  ms: number,
): Promise<void> {
  const until = now() + ms;
  for (let round = 0; round < ENOUGH && now() < until; round++) {
    for (const registered of await Promise.all(ues.map((ue) => ue.register())))
      if (registered) done.registrations++;
    const callee = (i: number): StandInUe | undefined => ues[(i + 1) % ues.length];
    for (const answered of await Promise.all(ues.map((ue, i) => ue.call(callee(i) ?? ue))))
      if (answered) done.calls++;
  }
}
