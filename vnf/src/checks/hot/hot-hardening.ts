import type { Fault } from "../../model/yaml-file.ts";
import { definitionsOf, type HotBundle, listed, type Resource, resourcesOf } from "./hot-bundle.ts";
import { child, entries, items, textOf, walk } from "./hot-node.ts";

const SECRET = /(?:^|_)(?:token|password|secret|private_key)$/;
const BEYOND_TOKEN = /(?:password|passwd|secret|private[-_]key)\s*[:=]\s*\S/i;

/** What our own templates promise: config drive, cells, closed interfaces, hidden secrets, addresses that outlive their server. */
export function hotHardening(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const template of bundle.templates.values()) {
    const { file, root } = template;
    for (const { key, line, value } of entries(child(root, "parameters")))
      if (SECRET.test(key) && textOf(child(value, "hidden")) !== "true")
        faults.push({ file, line, at: `parameters.${key}`, problem: "a secret needs hidden: true" });
    for (const resource of resourcesOf(template)) check(file, resource);
    for (const { name, type, line, body } of definitionsOf(template))
      if (
        type === "OS::Heat::ResourceGroup" &&
        /OS::Nova::Server"|nested\//.test(textOf(child(body, "properties", "resource_def", "type")) ?? "") &&
        child(body, "update_policy", "rolling_update") === undefined
      )
        faults.push({
          file,
          line,
          at: `resources.${name}`,
          problem: "a pool is updated member by member: rolling_update",
        });
  }
  for (const [file, text] of bundle.texts)
    if (file.startsWith("user-data/"))
      for (const [index, line] of text.split("\n").entries())
        if (BEYOND_TOKEN.test(line))
          faults.push({
            file,
            line: index + 1,
            at: "",
            problem: "user data holds no secret but the join token",
          });
  return faults;

  function check(file: string, { name, line, type, properties }: Resource): void {
    const fault = (problem: string, where = line) =>
      faults.push({ file, line: where, at: `resources.${name}`, problem });
    if (type === "OS::Nova::Server") {
      if (textOf(child(properties, "config_drive")) !== "true") fault("a server needs config_drive: true");
      if (textOf(child(properties, "image_update_policy")) !== "REBUILD")
        fault("a new image keeps the server: image_update_policy: REBUILD");
      if (child(properties, "scheduler_hints", "group") === undefined)
        fault("a member of a pool has a cell: scheduler_hints.group");
      for (const network of items(child(properties, "networks")))
        if (child(network, "port") === undefined)
          fault("a server keeps its addresses by ports of their own", network.line);
    }
    if (type === "OS::Neutron::Port") {
      // Neutron takes it from the owner of the network alone, true as false; a port without it is as its network is.
      if (child(properties, "port_security_enabled") !== undefined)
        fault(
          "port_security_enabled belongs to the network: on a port Neutron refuses it where the network is another project's",
        );
      const groups = child(properties, "security_groups");
      const choices = items(child(groups, "if")).slice(1);
      for (const list of choices.length === 0 ? [groups] : choices)
        if (items(list).length === 0) fault("a port needs a security group");
    }
    if (type === "OS::Neutron::Net" && textOf(child(properties, "port_security_enabled")) !== "true")
      fault("a network needs port_security_enabled: true");
    if (type === "OS::Neutron::SecurityGroup")
      for (const rule of listed(child(properties, "rules")))
        if (
          textOf(child(rule, "protocol")) === undefined ||
          [...walk(rule)].every(
            (node) => textOf(node) !== "remote_group_id" && child(node, "remote_ip_prefix") === undefined,
          )
        )
          fault("a rule says protocol and who: remote_ip_prefix or remote_mode", rule.line);
    if (
      type === "OS::Nova::ServerGroup" &&
      items(child(properties, "policies")).map(textOf).join() !== "anti-affinity"
    )
      fault("a cell has hard anti-affinity");
  }
}
