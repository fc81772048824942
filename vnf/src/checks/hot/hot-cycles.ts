import type { Fault } from "../../model/yaml-file.ts";
import { callOf, type HotBundle, nestedOf, resolvePath, resourcesOf, type Template } from "./hot-bundle.ts";
import { child, items, textOf, walk } from "./hot-node.ts";

/** Resources that wait for each other, and templates that contain themselves. */
export function hotCycles(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const template of bundle.templates.values()) {
    const arrows = arrowsOf(template);
    const resources = resourcesOf(template);
    for (const cycle of cyclesIn(arrows)) {
      const line = resources.find(({ name }) => name === cycle[0])?.line ?? 0;
      faults.push({
        file: template.file,
        line,
        at: `resources.${cycle[0]}`,
        problem: `waits for itself: ${cycle.join(" -> ")}`,
      });
    }
  }
  const contains = new Map(
    [...bundle.templates.values()].map((template) => [
      template.file,
      [...walk(template.root)]
        .map((node) => textOf(child(node, "type")) ?? "")
        .filter((type) => nestedOf(bundle, template, type) !== undefined)
        .map((type) => resolvePath(template.file, type)),
    ]),
  );
  for (const cycle of cyclesIn(contains))
    faults.push({
      file: cycle[0] ?? "",
      line: 0,
      at: "resources",
      problem: `contains itself: ${cycle.join(" -> ")}`,
    });
  return faults;
}

function arrowsOf(template: Template): Map<string, string[]> {
  return new Map(
    resourcesOf(template).map(({ name, body }) => {
      const depends = child(body, "depends_on");
      const targets = (depends?.kind === "list" ? items(depends) : [depends]).map(
        (node) => textOf(node) ?? "",
      );
      for (const node of walk(body)) {
        const call = callOf(node);
        if (call?.name !== "get_resource" && call?.name !== "get_attr") continue;
        targets.push(textOf(call.argument.kind === "list" ? call.argument.items[0] : call.argument) ?? "");
      }
      return [name, targets];
    }),
  );
}

/** One cycle for each that starts where the search meets it first. */
function cyclesIn(arrows: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) {
      cycles.push([...path.slice(at), name]);
      return;
    }
    if (done.has(name)) return;
    for (const target of arrows.get(name) ?? []) visit(target, [...path, name]);
    done.add(name);
  };
  for (const name of arrows.keys()) visit(name, []);
  return cycles;
}
