import { done, failed, type Outcome, orFailed, type Run } from "../lcm/outcome.ts";
import type { Lcm, OperationOccurrence, Sol003Instance } from "./schemas.ts";
import type { Vnfm } from "./vnfm.ts";

const POLL_MS = 3000;

export interface UserData {
  readonly "lcm-operation-user-data": string;
  readonly "lcm-operation-user-data-class": string;
}

/** How the packages for Tacker are read by it. */
export const USER_DATA: UserData = {
  "lcm-operation-user-data": "UserData/tidewater_userdata.py",
  "lcm-operation-user-data-class": "TidewaterUserData",
};

/** Onboards a package; one with the same descriptor that is there already is not put there again. */
export function onboardPackage(vnfm: Vnfm, csar: Uint8Array, vnfdId: string, run: Run): Promise<Outcome> {
  return guarded(vnfm, undefined, run, async (deadline) => {
    const { signal } = run;
    const there = (await vnfm.packages(signal)).find((one) => one.vnfdId === vnfdId);
    if (there?.onboardingState === "ONBOARDED")
      return done(`${vnfdId} is onboarded as ${there.id} already`, false);
    const { id } = await vnfm.createPackage(signal);
    run.progress(`package ${id} created`);
    try {
      await vnfm.uploadPackage(id, csar, signal);
    } catch (error) {
      // Nobody would ever fill it.
      await vnfm.deletePackage(id).catch(() => undefined);
      throw error;
    }
    for (;;) {
      const { onboardingState, onboardingFailureDetails } = await vnfm.package(id, signal);
      if (onboardingState === "ONBOARDED") return done(`onboarded as ${id}`);
      if (onboardingState === "ERROR" || onboardingState === "CREATED") {
        // Tacker puts what it does not like back to CREATED.
        await vnfm.deletePackage(id, signal);
        const why = onboardingFailureDetails?.detail ?? "the VNF manager does not say why: see its log";
        return failed(
          `the package was not accepted: ${why}`,
          [],
          ["tidewater vnf validate, then onboard again"],
        );
      }
      if (run.pace.now() > deadline)
        return failed("the package is still being processed", [`package ${id}`], ["wait, and onboard again"]);
      run.progress(`package ${onboardingState}`);
      await run.pace.sleep(POLL_MS, signal);
    }
  });
}

export interface InstantiateSol003 {
  readonly name: string;
  readonly vnfdId: string;
  readonly flavour: string;
  readonly level?: string;
  readonly vim: Readonly<Record<string, unknown>>;
  /** Parameters of the templates. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Makes an instance and instantiates it; what is there already is gone on with. */
export function instantiateSol003(vnfm: Vnfm, request: InstantiateSol003, run: Run): Promise<Outcome> {
  const { name, vnfdId, flavour, level, vim, parameters } = request;
  return guarded(vnfm, name, run, async (deadline) => {
    const instance = (await find(vnfm, name, run)) ?? (await vnfm.createInstance(vnfdId, name, run.signal));
    run.progress(`instance ${instance.id}`);
    const waiting = await unfinished(vnfm, instance, run, deadline);
    if (waiting !== undefined) return waiting;
    const now = await vnfm.instance(instance.id, run.signal);
    if (now.instantiationState === "INSTANTIATED") return done(`${name} is instantiated already`, false);
    return carryOut(vnfm, instance, run, deadline, {
      task: "instantiate",
      body: {
        flavourId: flavour,
        ...(level === undefined ? {} : { instantiationLevelId: level }),
        vimConnectionInfo: { vim },
        additionalParams: { ...USER_DATA, tidewater: { parameters } },
      },
    });
  });
}

/** Scales a pool to a scale level, one aligned step after the other. */
export function scaleSol003(
  vnfm: Vnfm,
  name: string,
  aspect: string,
  level: number,
  run: Run,
): Promise<Outcome> {
  return guarded(vnfm, name, run, async (deadline) => {
    for (let steps = 0; ; steps++) {
      const instance = await find(vnfm, name, run);
      if (instance === undefined) return failed(`there is no ${name}`);
      const waiting = await unfinished(vnfm, instance, run, deadline);
      if (waiting !== undefined) return waiting;
      const { scaleStatus = [], maxScaleLevels = [] } =
        (await vnfm.instance(instance.id, run.signal)).instantiatedVnfInfo ?? {};
      const at = scaleStatus.find(({ aspectId }) => aspectId === aspect)?.scaleLevel;
      const most = maxScaleLevels.find(({ aspectId }) => aspectId === aspect)?.scaleLevel;
      if (at === undefined)
        return failed(
          `${name} has no scaling aspect ${aspect}; it has ${scaleStatus.map(({ aspectId }) => aspectId).join(", ") || "none"}`,
        );
      if (most !== undefined && level > most)
        return failed(`${aspect} has scale levels 0 to ${most}, not ${level}`, [`${aspect} at level ${at}`]);
      if (at === level) return done(`${aspect} is at scale level ${level}`, steps > 0);
      const outcome = await carryOut(vnfm, instance, run, deadline, {
        task: "scale",
        body: {
          type: at < level ? "SCALE_OUT" : "SCALE_IN",
          aspectId: aspect,
          numberOfSteps: 1,
          additionalParams: { ...USER_DATA },
        },
      });
      if (outcome.kind === "failed") return outcome;
    }
  });
}

/**
 * Makes members anew: those named, by the identifiers of their VNFCs. `prepare` is called once nothing else is in progress or
 * undecided, so the VNF manager will take the operation; an outcome of it ends this one.
 */
export function healSol003(
  vnfm: Vnfm,
  name: string,
  vnfcs: readonly string[],
  cause: string,
  run: Run,
  prepare: () => Promise<Outcome | undefined> = async () => undefined,
): Promise<Outcome> {
  return guarded(vnfm, name, run, async (deadline) => {
    const instance = await find(vnfm, name, run);
    if (instance === undefined) return failed(`there is no ${name}`);
    const waiting = await unfinished(vnfm, instance, run, deadline);
    if (waiting !== undefined) return waiting;
    const known = (await vnfm.instance(instance.id, run.signal)).instantiatedVnfInfo?.vnfcInfo ?? [];
    const strange = vnfcs.filter((id) => !known.some((one) => one.id === id));
    if (strange.length > 0)
      return failed(
        `${name} has no VNFC ${strange.join(", ")}`,
        [],
        ["tidewater vnf sol003 status shows them"],
      );
    const hindrance = await prepare();
    if (hindrance !== undefined) return hindrance;
    return carryOut(vnfm, instance, run, deadline, {
      task: "heal",
      body: { cause, vnfcInstanceId: vnfcs, additionalParams: { ...USER_DATA } },
    });
  });
}

/** Terminates an instance and removes it; gone already is done. */
export function terminateSol003(
  vnfm: Vnfm,
  name: string,
  gracefulSeconds: number,
  run: Run,
): Promise<Outcome> {
  return guarded(vnfm, name, run, async (deadline) => {
    const instance = await find(vnfm, name, run);
    if (instance === undefined) return done(`there is no ${name}`, false);
    const waiting = await unfinished(vnfm, instance, run, deadline);
    if (waiting !== undefined) return waiting;
    const now = await vnfm.instance(instance.id, run.signal);
    if (now.instantiationState === "INSTANTIATED") {
      const outcome = await carryOut(vnfm, instance, run, deadline, {
        task: "terminate",
        body:
          gracefulSeconds > 0
            ? { terminationType: "GRACEFUL", gracefulTerminationTimeout: gracefulSeconds }
            : { terminationType: "FORCEFUL" },
      });
      if (outcome.kind === "failed") return outcome;
    }
    await vnfm.deleteInstance(instance.id, run.signal);
    return done(`${name} is terminated and removed`);
  });
}

export async function find(
  vnfm: Vnfm,
  name: string,
  { signal }: Pick<Run, "signal">,
): Promise<Sol003Instance | undefined> {
  return (await vnfm.instances(signal)).find(({ vnfInstanceName }) => vnfInstanceName === name);
}

function guarded(
  vnfm: Vnfm,
  name: string | undefined,
  run: Run,
  work: (deadline: number) => Promise<Outcome>,
): Promise<Outcome> {
  const exists = async (): Promise<readonly string[]> => {
    const instance = name === undefined ? undefined : await find(vnfm, name, run);
    return instance === undefined ? [] : [`instance ${instance.id}: ${instance.instantiationState}`];
  };
  return orFailed(
    () => work(run.pace.now() + run.timeoutMs),
    exists,
    ["the same command again goes on"],
    run.signal,
  );
}

async function carryOut(
  vnfm: Vnfm,
  instance: Sol003Instance,
  run: Run,
  deadline: number,
  lcm: Lcm,
): Promise<Outcome> {
  const id = await vnfm.begin(instance.id, lcm, run.signal);
  return follow(vnfm, id, run, deadline);
}

/** Waits for the end of an operation (SOL 003 figure 5.6.2.2-1). */
async function follow(vnfm: Vnfm, id: string, run: Run, deadline: number): Promise<Outcome> {
  let before = "";
  for (;;) {
    const occurrence = await vnfm.operation(id, run.signal);
    const { operationState, operation, error } = occurrence;
    if (operationState !== before) run.progress(`${operation} ${operationState}`);
    before = operationState;
    if (operationState === "COMPLETED") return done(`${operation} COMPLETED`);
    if (operationState === "FAILED_TEMP") return undecided(occurrence);
    if (operationState === "FAILED" || operationState === "ROLLED_BACK")
      return failed(
        `${operation} ${operationState}: ${error?.detail ?? "no reason is told"}`,
        [`operation ${id}`],
        ["remove the cause, then the same command again"],
      );
    if (run.pace.now() > deadline)
      return failed(
        `${operation} is still ${operationState}`,
        [`operation ${id}`],
        ["the same command again waits on"],
      );
    await run.pace.sleep(POLL_MS, run.signal);
  }
}

function undecided({ id, operation, error }: OperationOccurrence): Outcome {
  return failed(
    `${operation} FAILED_TEMP: ${error?.detail ?? error?.title ?? "no reason is told"}`,
    [`operation ${id}, undecided`],
    ["retry", "rollback", "fail"].map((how) => `tidewater vnf sol003 decide ${id} ${how}`),
  );
}

/** Waits for what is in progress, and stops at what is undecided: a second operation would be refused. */
async function unfinished(
  vnfm: Vnfm,
  { id }: Sol003Instance,
  run: Run,
  deadline: number,
): Promise<Outcome | undefined> {
  const mine = (await vnfm.operations(run.signal)).filter(({ vnfInstanceId }) => vnfInstanceId === id);
  const failedTemp = mine.find(({ operationState }) => operationState === "FAILED_TEMP");
  // A list leaves the reason out.
  if (failedTemp !== undefined) return undecided(await vnfm.operation(failedTemp.id, run.signal));
  for (const one of mine.filter(({ operationState }) =>
    ["STARTING", "PROCESSING", "ROLLING_BACK"].includes(operationState),
  )) {
    run.progress(`waiting for ${one.operation}, begun before`);
    const outcome = await follow(vnfm, one.id, run, deadline);
    if (outcome.kind === "failed") return outcome;
  }
  return undefined;
}
