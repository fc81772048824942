import type { z } from "zod";
import { loadOptions } from "./config/load.ts";
import { shownOptions } from "./config/shown-options.ts";
import { type Runnable, runServices } from "./run-services.ts";
import type { Service } from "./service.ts";
import type { ServiceModules } from "./service-modules.ts";
import { type ServiceOptions, withServiceOptions } from "./service-options.ts";

export interface RunServiceRequest<Schema extends z.ZodObject> {
  readonly name: string;
  readonly description?: string;
  readonly options: Schema;
  readonly create: (
    options: z.output<Schema> & ServiceOptions,
    modules: ServiceModules,
  ) => Service | Promise<Service>;
  /**
   * Before anything is served: does with itself what users will ask for, so that the first of them do not wait for it to be compiled. What it
   * throws is logged, and the node starts all the same.
   */
  readonly rehearse?: (
    options: z.output<Schema> & ServiceOptions,
    modules: Pick<ServiceModules, "pacer">,
  ) => Promise<unknown>;
  /** Default: what the process was started with. */
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs one node as this process. SIGTERM: quiesce, then stop; SIGINT, or the loss of the parent's IPC channel: stop;
 * SIGUSR2: between the log level debug and the configured one.
 * Exit codes: 0 stopped, 1 could not start or failed while running, 2 wrong options.
 */
export function runService<Schema extends z.ZodObject>(request: RunServiceRequest<Schema>): Promise<void> {
  return runServices([runnable(request)]);
}

/** A node that `runServices` can run beside others. */
export function runnable<Schema extends z.ZodObject>(request: RunServiceRequest<Schema>): Runnable {
  const { name, create, rehearse } = request;
  return {
    name,
    load() {
      const schema = withServiceOptions(request.options);
      const loaded = loadOptions({
        name,
        ...(request.description === undefined ? {} : { description: request.description }),
        schema,
        argv: request.argv ?? process.argv.slice(2),
        env: request.env ?? process.env,
      });
      if (loaded.kind !== "loaded") return loaded;
      const options = loaded.options as z.output<Schema> & ServiceOptions;
      const shown = shownOptions(schema, options, loaded.sources);
      return {
        ...{ ...loaded, options, shown },
        create: (modules) => create(options, modules),
        rehearse: async (modules) => await rehearse?.(options, modules),
      };
    },
  };
}
