import type { Json, OpenStack, Service } from "./lab/open-stack.ts";

/** What a project has of each kind, and users and projects that Heat keeps for it: names or ids. */
export async function inventory(admin: OpenStack, project: string): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  const list = async (
    kind: string,
    service: Service,
    path: string,
    key: string,
    isOurs: (entry: Json) => boolean = () => true,
  ): Promise<void> => {
    const entries = ((await admin.get(service, path))[key] as unknown as Json[]).filter(isOurs);
    found.set(kind, new Set(entries.map((entry) => `${String(entry["name"] ?? "")} ${String(entry["id"])}`)));
  };
  const own = `project_id=${project}`;
  await list("servers", "compute", `/servers?all_tenants=true&${own}`, "servers");
  await list(
    "server groups",
    "compute",
    "/os-server-groups?all_projects=true",
    "server_groups",
    (group) => String(group["project_id"]) === project,
  );
  for (const kind of ["ports", "networks", "subnets", "routers", "security-groups"])
    await list(kind, "network", `/${kind}?${own}&fields=id&fields=name`, kind.replace("-", "_"));
  // Heat names the projects that it makes for its users after the project of the stack.
  const domains = (await admin.get("identity", "/domains?name=heat"))["domains"] as unknown as Json[];
  const heat = String(domains[0]?.["id"]);
  const path = `/projects?domain_id=${heat}`;
  await list("projects of signals", "identity", path, "projects", (one) =>
    String(one["name"]).startsWith(project),
  );
  const projects = [...(found.get("projects of signals") ?? [])].map((entry) => entry.split(" ").at(-1));
  await list("users of signals", "identity", `/users?domain_id=${heat}`, "users", (user) =>
    projects.includes(String(user["default_project_id"])),
  );
  return found;
}

/** What is there now and was not before. */
export function leftOver(
  before: ReadonlyMap<string, ReadonlySet<string>>,
  now: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  return [...now].flatMap(([kind, entries]) =>
    [...entries].filter((entry) => !before.get(kind)?.has(entry)).map((entry) => `${kind}: ${entry}`),
  );
}
