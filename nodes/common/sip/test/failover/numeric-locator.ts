import type { Locator, Target } from "../../src/index.ts";

/** Finds addresses only, over TCP. */
export const numericLocator: Locator = {
  locate: ({ host, port }): readonly Target[] =>
    /^[0-9.]+$/.test(host) ? [{ protocol: "TCP", address: host, port: port ?? 5060 }] : [],
};
