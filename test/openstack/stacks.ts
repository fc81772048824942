import { heatFiles } from "../packaging/heat-files.ts";
import { ApiError, type Json, type OpenStack } from "./lab/open-stack.ts";
import { until } from "./lab/processes.ts";

export interface StackWish {
  readonly name: string;
  /** Of heat-templates/environments, a later one wins. */
  readonly environments: readonly string[];
  readonly parameters: Readonly<Record<string, string | number>>;
}

export interface StackResource {
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly id: string;
  /** /<name>/<id> of the stack it is in. */
  readonly stack: string;
}

/** What Heat says a stack came to. */
export interface StackEnd {
  readonly status: string;
  readonly reason: string;
}

/** Stacks made from heat-templates/ as any client of Heat would. */
export class Stacks {
  readonly #cloud: OpenStack;

  constructor(cloud: OpenStack) {
    this.#cloud = cloud;
  }

  /** Asks for the stack; a refusal is Heat's text. */
  async create({ name, environments, parameters }: StackWish): Promise<string | undefined> {
    const all = heatFiles();
    const files = new Map<string, string>();
    for (const [path, text] of all) {
      if (path === "ims.yaml") continue;
      // The key is what the template that names the file says: members name user data from where they are.
      files.set(path.startsWith("user-data/") ? `../${path}` : path, text);
    }
    // Heat lets environment files win over parameters that come with them: these are the last such file.
    files.set("own", JSON.stringify({ parameters }));
    const environmentFiles = [...environments.map((one) => `environments/${one}.yaml`), "own"];
    try {
      await this.#cloud.post("orchestration", "/stacks", {
        stack_name: name,
        template: all.get("ims.yaml"),
        files: Object.fromEntries(files),
        environment_files: environmentFiles,
        timeout_mins: 60,
        disable_rollback: true,
      });
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 400) return error.message;
      throw error;
    }
  }

  /** Changes parameters; all else stays. */
  async update(name: string, parameters: Readonly<Record<string, string | number>>): Promise<void> {
    const path = await this.#path(name);
    const body = { parameters, timeout_mins: 60, disable_rollback: true };
    await this.#cloud.request("PATCH", "orchestration", path, { body });
  }

  async #path(name: string): Promise<string> {
    const { stacks } = (await this.#cloud.get("orchestration", `/stacks?name=${name}`)) as unknown as {
      stacks: readonly { readonly id: string }[];
    };
    const [stack] = stacks;
    if (stack === undefined) throw new Error(`there is no stack ${name}`);
    return `/stacks/${name}/${stack.id}`;
  }

  async state(name: string): Promise<StackEnd> {
    const path = `${await this.#path(name)}?resolve_outputs=False`;
    const stack = (await this.#cloud.get("orchestration", path))["stack"] as Json;
    return {
      status: String(stack["stack_status"]),
      reason: String(stack["stack_status_reason"]),
    };
  }

  /** Waits for the end of what the stack is at. */
  async end(name: string, seconds: number): Promise<StackEnd> {
    return await until(`end of what ${name} is at`, seconds, async () => {
      const state = await this.state(name);
      return state.status.endsWith("_IN_PROGRESS") ? undefined : state;
    });
  }

  async outputs(name: string): Promise<Map<string, unknown>> {
    const stack = (await this.#cloud.get("orchestration", await this.#path(name)))["stack"] as Json;
    const list = stack["outputs"] as unknown as { output_key: string; output_value: unknown }[];
    return new Map(list.map(({ output_key, output_value }) => [output_key, output_value]));
  }

  async resources(name: string): Promise<StackResource[]> {
    const path = `${await this.#path(name)}/resources?nested_depth=3`;
    const list = (await this.#cloud.get("orchestration", path))["resources"] as unknown as Json[];
    return list.map((resource) => {
      const links = resource["links"] as unknown as { href: string; rel: string }[];
      const href = links.find(({ rel }) => rel === "stack")?.href ?? "";
      return {
        name: String(resource["resource_name"]),
        type: String(resource["resource_type"]),
        status: String(resource["resource_status"]),
        id: String(resource["physical_resource_id"]),
        stack: /\/stacks(\/[^/]+\/[^/?]+)/.exec(href)?.[1] ?? "",
      };
    });
  }

  async markUnhealthy({ stack, name }: StackResource): Promise<void> {
    const body = { mark_unhealthy: true, resource_status_reason: "its host failed" };
    await this.#cloud.request("PATCH", "orchestration", `/stacks${stack}/resources/${name}`, { body });
  }

  async clearHook({ stack, name }: StackResource, hook: string): Promise<void> {
    await this.#cloud.post("orchestration", `/stacks${stack}/resources/${name}/signal`, {
      unset_hook: hook,
    });
  }

  async events(name: string, depth: number): Promise<Json[]> {
    const path = `${await this.#path(name)}/events?nested_depth=${depth}&limit=1000`;
    return (await this.#cloud.get("orchestration", path))["events"] as unknown as Json[];
  }

  /** Deletes it and waits until it is gone. */
  async delete(name: string, seconds: number): Promise<void> {
    const path = await this.#path(name).catch(() => undefined);
    if (path === undefined) return;
    await this.#cloud.delete("orchestration", path);
    await until(`end of ${name}`, seconds, async () => {
      const { stacks } = (await this.#cloud.get("orchestration", `/stacks?name=${name}`)) as unknown as {
        stacks: readonly { readonly stack_status: string }[];
      };
      if (stacks.length === 0) return true;
      if (stacks[0]?.stack_status === "DELETE_FAILED") throw new Error(`${name}: DELETE_FAILED`);
      return undefined;
    });
  }
}
