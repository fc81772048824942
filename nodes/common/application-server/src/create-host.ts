import type { KeyObject } from "node:crypto";
import type { Clock, Health, Logger, MetricsRegister } from "@ims/runtime";
import type { OriginatedHandler, RequestOriginator } from "@ims/sip";
import type { KvStore } from "@ims/store";
import { SealedStates } from "./sealed-states.ts";
import type { ServerHost, ServerMetrics } from "./server-host.ts";

export interface HostParts {
  readonly name: string;
  readonly uri: string;
  readonly homeDomain: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  readonly store: KvStore;
  /** Of the pool. */
  readonly key: KeyObject;
  readonly originate: RequestOriginator["originate"];
  readonly clock: Clock;
  readonly log: Logger;
  readonly register: MetricsRegister;
  readonly health: Health;
  /** Takes what its callbacks throw. */
  readonly onFailure: (error: unknown) => void;
}

/** What the process does for one application server of others: nothing that it passes on throws into the process. */
export function createHost(parts: HostParts): ServerHost {
  const { name, uri, homeDomain, settings, side, store, clock, register, health, onFailure } = parts;
  const guarded =
    <A extends unknown[], R>(run: (...args: A) => R, otherwise: R) =>
    (...args: A): R => {
      try {
        return run(...args);
      } catch (error) {
        onFailure(error);
        return otherwise;
      }
    };
  return {
    name,
    uri,
    homeDomain,
    settings,
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (ms, fn) => clock.setTimer(ms, guarded(fn, undefined)),
    },
    log: parts.log.child({ server: name }),
    metrics: metricsOf(name, register, guarded),
    store: tablesOf(name, store),
    dialogs: new SealedStates({ key: parts.key, label: `${name} dialog`, prefix: "as_" }),
    addNote: (note) => void health.addNote(`as ${name}`, guarded(note, "its note cannot be made")),
    originate: (request, handler = {}) => {
      const whole: OriginatedHandler = {
        onProvisional: guarded((response) => handler.onProvisional?.(response), undefined),
        onFinal: guarded((response, local) => handler.onFinal?.(response, local), undefined),
      };
      return parts.originate(request, { kind: "uri", side }, whole);
    },
  };
}

type Guarded = <A extends unknown[], R>(run: (...args: A) => R, otherwise: R) => (...args: A) => R;

const METRIC = /^[a-z][a-z0-9_]{0,60}$/;

function metricsOf(name: string, register: MetricsRegister, guarded: Guarded): ServerMetrics {
  const full = (metric: string): string => {
    if (!METRIC.test(metric)) throw new Error(`metric ${metric}: letters in lower case, digits and _ only`);
    return `ims_as_${name.replaceAll("-", "_")}_${metric}`;
  };
  return {
    counter: (metric, help, labels) => register.counter({ name: full(metric), help, labels }),
    gauge: (metric, help, value) =>
      register.gauge({ name: full(metric), help, value: guarded(value, Number.NaN) }),
  };
}

/** Its tables, out of the way of everybody else's. */
function tablesOf(name: string, store: KvStore): KvStore {
  const of = (table: string): string => `as-${name}-${table}`;
  return {
    get: (table, key) => store.get(of(table), key),
    put: (table, key, value, options) => store.put(of(table), key, value, options),
    delete: (table, key, options) => store.delete(of(table), key, options),
    isSettled: (table, key) => store.isSettled?.(of(table), key) ?? true,
  };
}
