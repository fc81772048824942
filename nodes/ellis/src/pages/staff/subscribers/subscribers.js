import { openAdding } from "./adding.js";
import { openImport } from "./import.js";
import { openList } from "./list.js";
import { openOne } from "./one.js";

/** Subscribers of homestead: `#subscribers`, `#subscribers/new`, `#subscribers/import`, `#subscribers/<private identity>`. */
export function open(root, portal) {
  const [name] = portal.parts;
  if (name === undefined || name === "") return openList(root, portal);
  if (name === "new") return openAdding(root, portal);
  if (name === "import") return openImport(root, portal);
  return openOne(root, portal, name);
}
