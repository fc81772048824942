import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MadeStaff, StaffClient, staffRoleSchema } from "@ims/api";
import { Argument, Command, Option } from "commander";
import { httpUrl } from "../subscriber/http-url.ts";
import { passwordOf } from "../subscriber/password.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";
const ROLES = staffRoleSchema.options;
type Role = (typeof ROLES)[number];

interface Common {
  readonly url: string;
  readonly stateDir: string;
  readonly apiKeyFile?: string;
  readonly json?: boolean;
}

interface Adding extends Common {
  readonly role: Role;
  readonly name?: string;
  readonly passwordFile?: string;
  readonly passwordStdin?: boolean;
  readonly existing?: boolean;
}

/** `tidewater staff add|list|role|password|remove`: who works with the portal of ellis, the first administrator too, by ellis' API key. */
export function staffCommand(): Command {
  const root = new Command("staff").description("who works with the portal of operators, and in what role");
  const sub = (name: string, description: string): Command =>
    root
      .command(name)
      .description(description)
      .option("--url <url>", "ellis", httpUrl(DEFAULT_URL), process.env["TIDEWATER_ELLIS_URL"] ?? DEFAULT_URL)
      .option("--state-dir <dir>", "directory with the key of ellis (ellis-api-key)", ".tidewater")
      .option("--api-key-file <file>", "file with that key, where it is another one")
      .option("--json", "print JSON");
  const role = (): Argument => new Argument("<role>", "what he or she may do").choices(ROLES);

  sub("add", "add somebody; the password is made and printed unless one is given")
    .argument("<email>")
    .addOption(new Option("--role <role>", "what he or she may do").choices(ROLES).default("viewer"))
    .option("--name <text>", "full name")
    .option("--password-file <file>", "file whose first line is the password")
    .option("--password-stdin", "read the password from standard input")
    .option("--existing", "make staff of a user who has an account; its password changes")
    .action(async (email: string, given: Adding) => {
      const password = await passwordOf(given);
      const added = await clientOf(given).add({
        ...{ email, role: given.role, full_name: given.name ?? "", existing: given.existing === true },
        ...(password === undefined ? {} : { password }),
      });
      print(given, added, `added ${added.email} as ${added.role}${passwordSaid(added)}`);
    });
  sub("list", "list all of them").action(async (given: Common) => {
    for (const one of await clientOf(given).list())
      print(given, one, `${one.email}  ${one.role}  ${printable(one.full_name)}`);
  });
  sub("role", "give somebody another role")
    .argument("<email>")
    .addArgument(role())
    .action(async (email: string, to: Role, given: Common) => {
      const changed = await clientOf(given).change(email, { role: to });
      print(given, changed, `${changed.email} is ${changed.role}`);
    });
  sub("password", "make a new password for somebody and print it; sessions end")
    .argument("<email>")
    .action(async (email: string, given: Common) => {
      const changed = await clientOf(given).change(email, { new_password: true });
      print(given, changed, `${changed.email}${passwordSaid(changed)}`);
    });
  sub("remove", "take somebody's role away")
    .argument("<email>")
    .action(async (email: string, given: Common) => {
      await clientOf(given).remove(email);
      print(given, { removed: email }, `removed ${printable(email)}`);
    });
  return root;
}

function clientOf({ url, stateDir, apiKeyFile }: Common): StaffClient {
  return new StaffClient(url, readFileSync(apiKeyFile ?? join(stateDir, "ellis-api-key"), "utf8").trim());
}

function print({ json }: Common, value: unknown, text: string): void {
  process.stdout.write(`${json === true ? JSON.stringify(value) : text}\n`);
}

function passwordSaid({ password }: MadeStaff): string {
  return password === undefined ? "" : `, password ${password}`;
}

/** For a terminal: no control character of it acts there. */
function printable(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
