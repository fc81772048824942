import { z } from "zod";
import { isStatus } from "./errors.ts";
import { type OpenStackSession, type Service, signalOf } from "./session.ts";

const HEAT: Service = { type: "orchestration", name: "heat" };

const link = z.object({ href: z.string(), rel: z.string() });

const stack = z.object({
  id: z.string(),
  stack_name: z.string(),
  stack_status: z.string(),
  stack_status_reason: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).default({}),
  outputs: z
    .array(
      z.object({ output_key: z.string(), output_value: z.unknown(), output_error: z.string().optional() }),
    )
    .default([]),
  creation_time: z.string().nullish(),
  updated_time: z.string().nullish(),
  timeout_mins: z.number().nullish(),
});
export type Stack = z.output<typeof stack>;

const resource = z.object({
  resource_name: z.string(),
  resource_type: z.string(),
  resource_status: z.string(),
  resource_status_reason: z.string().nullish(),
  physical_resource_id: z.string().nullish(),
  parent_resource: z.string().nullish(),
  links: z.array(link).default([]),
});
export type StackResource = z.output<typeof resource>;

const event = z.object({
  id: z.string(),
  event_time: z.string(),
  resource_name: z.string(),
  resource_status: z.string(),
  resource_status_reason: z.string().nullish(),
  physical_resource_id: z.string().nullish(),
  links: z.array(link).default([]),
});
export type StackEvent = z.output<typeof event>;

const snapshot = z.object({
  id: z.string(),
  name: z.string().nullish(),
  status: z.string(),
  status_reason: z.string().nullish(),
  creation_time: z.string().nullish(),
});
export type Snapshot = z.output<typeof snapshot>;

/** What a stack is made from. */
export interface StackDefinition {
  readonly template: unknown;
  readonly files: Readonly<Record<string, string>>;
  readonly environment: unknown;
}

export interface StackRef {
  readonly name: string;
  readonly id: string;
}

/** Heat, orchestration API v1. Every method throws OpenStackError; what may not be there is undefined. */
export class Heat {
  readonly #session: OpenStackSession;

  constructor(session: OpenStackSession) {
    this.#session = session;
  }

  /** By name, or the very one that is meant: a name may belong to another stack later. */
  async stack(which: string | StackRef, signal?: AbortSignal): Promise<Stack | undefined> {
    try {
      const ref = typeof which === "string" ? await this.#named(which, signal) : which;
      if (ref === undefined) return undefined;
      const path = `/stacks/${encodeURIComponent(ref.name)}/${ref.id}`;
      const query = { resolve_outputs: "false" };
      const read = await this.#session.read(
        HEAT,
        { method: "GET", path, query, ...signalOf(signal) },
        z.object({ stack }),
      );
      return read.stack;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** A GET of the name alone is redirected by Heat: asked for in two steps, so that the token goes nowhere else. */
  async #named(name: string, signal?: AbortSignal): Promise<StackRef | undefined> {
    const { stacks } = await this.#session.read(
      HEAT,
      { method: "GET", path: "/stacks", query: { name }, ...signalOf(signal) },
      z.object({ stacks: z.array(stack) }),
    );
    const own = stacks.find(({ stack_name }) => stack_name === name);
    return own === undefined ? undefined : { name, id: own.id };
  }

  async create(
    name: string,
    definition: StackDefinition,
    timeoutMinutes: number,
    signal?: AbortSignal,
  ): Promise<StackRef> {
    const json = {
      stack_name: name,
      ...definition,
      disable_rollback: true,
      timeout_mins: timeoutMinutes,
    };
    const { stack: made } = await this.#session.read(
      HEAT,
      { method: "POST", path: "/stacks", json, timeoutMs: 180_000, ...signalOf(signal) },
      z.object({ stack: z.object({ id: z.string() }) }),
    );
    return { name, id: made.id };
  }

  /** Replaces template, files and environment. */
  async update(
    { name, id }: StackRef,
    definition: StackDefinition,
    timeoutMinutes: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const json = { ...definition, disable_rollback: true, timeout_mins: timeoutMinutes };
    const path = `/stacks/${encodeURIComponent(name)}/${id}`;
    await this.#session.call(HEAT, { method: "PUT", path, json, timeoutMs: 180_000, ...signalOf(signal) });
  }

  /** Keeps everything but the named parameters. */
  async patch(
    { name, id }: StackRef,
    parameters: Readonly<Record<string, unknown>>,
    timeoutMinutes: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const json = { parameters, disable_rollback: true, timeout_mins: timeoutMinutes };
    const path = `/stacks/${encodeURIComponent(name)}/${id}`;
    await this.#session.call(HEAT, { method: "PATCH", path, json, timeoutMs: 180_000, ...signalOf(signal) });
  }

  async delete({ name, id }: StackRef, signal?: AbortSignal): Promise<void> {
    const path = `/stacks/${encodeURIComponent(name)}/${id}`;
    try {
      await this.#session.call(HEAT, { method: "DELETE", path, ...signalOf(signal) });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /** Parses template and parameters; makes nothing. */
  async validate(definition: StackDefinition, signal?: AbortSignal): Promise<void> {
    await this.#session.call(HEAT, {
      method: "POST",
      path: "/validate",
      json: definition,
      timeoutMs: 180_000,
      ...signalOf(signal),
    });
  }

  /** Resources of the stack and of the stacks in it, `depth` levels deep. Undefined: the stack is gone. */
  async resources(
    { name, id }: StackRef,
    depth: number,
    signal?: AbortSignal,
    tries?: number,
  ): Promise<StackResource[] | undefined> {
    const path = `/stacks/${encodeURIComponent(name)}/${id}/resources`;
    try {
      const query = { nested_depth: String(depth) };
      const { resources } = await this.#session.read(
        HEAT,
        {
          method: "GET",
          path,
          query,
          timeoutMs: 120_000,
          ...signalOf(signal),
          ...(tries === undefined ? {} : { tries }),
        },
        z.object({ resources: z.array(resource) }),
      );
      return resources;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Newest first. */
  async events({ name, id }: StackRef, depth: number, signal?: AbortSignal): Promise<StackEvent[]> {
    const path = `/stacks/${encodeURIComponent(name)}/${id}/events`;
    const query = { nested_depth: String(depth), sort_dir: "desc", limit: "200" };
    try {
      const { events } = await this.#session.read(
        HEAT,
        { method: "GET", path, query, ...signalOf(signal) },
        z.object({ events: z.array(event) }),
      );
      return events;
    } catch (error) {
      if (isStatus(error, 404)) return [];
      throw error;
    }
  }

  /** The next update makes the resource anew. */
  async markUnhealthy(
    { name, id }: StackRef,
    resourceName: string,
    reason: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = `/stacks/${encodeURIComponent(name)}/${id}/resources/${encodeURIComponent(resourceName)}`;
    const json = { mark_unhealthy: true, resource_status_reason: reason };
    await this.#session.call(HEAT, { method: "PATCH", path, json, ...signalOf(signal) });
  }

  /** Lets a resource that waits at its hook go on. */
  async clearHook(
    { name, id }: StackRef,
    resourceName: string,
    hook: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = `/stacks/${encodeURIComponent(name)}/${id}/resources/${encodeURIComponent(resourceName)}/signal`;
    await this.#session.call(HEAT, {
      method: "POST",
      path,
      json: { unset_hook: hook },
      ...signalOf(signal),
    });
  }

  async snapshots({ name, id }: StackRef, signal?: AbortSignal): Promise<Snapshot[]> {
    const path = `/stacks/${encodeURIComponent(name)}/${id}/snapshots`;
    const { snapshots } = await this.#session.read(
      HEAT,
      { method: "GET", path, ...signalOf(signal) },
      z.object({ snapshots: z.array(snapshot) }),
    );
    return snapshots;
  }
}

/** "IN_PROGRESS" of "CREATE_IN_PROGRESS". */
export function statusOf(status: string): string {
  return status.slice(status.indexOf("_") + 1);
}

/** "CREATE" of "CREATE_FAILED". */
export function actionOf(status: string): string {
  return status.slice(0, Math.max(0, status.indexOf("_")));
}

/** Id of the stack a resource is in. */
export function stackIdOf({ links }: StackResource): string | undefined {
  const href = links.find(({ rel }) => rel === "stack")?.href;
  return href === undefined ? undefined : /\/stacks\/[^/]+\/([^/?]+)/.exec(href)?.[1];
}

/** Name and id of the stack a resource is. */
export function nestedOf({ links }: StackResource): StackRef | undefined {
  const href = links.find(({ rel }) => rel === "nested")?.href;
  const [, name, id] = /\/stacks\/([^/]+)\/([^/?]+)/.exec(href ?? "") ?? [];
  return name === undefined || id === undefined ? undefined : { name: decodeURIComponent(name), id };
}
