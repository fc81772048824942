import { button, el, field, form, part, table } from "./elements.js";

const ROLES = [
  ["viewer", "viewer: sees"],
  ["operator", "operator: changes subscribers too"],
  ["administrator", "administrator: staff and the audit log too"],
];

const roleList = (attributes = {}) =>
  el("select", attributes, ...ROLES.map(([value, text]) => el("option", { value }, text)));

/** Who works with the portal: for everybody the own password, for administrators all accounts. */
export async function open(root, portal) {
  root.append(ownPassword());
  if (!portal.may("administrator")) return;
  const list = el("div", {});
  root.append(part("Staff accounts", list), adding());
  await load();

  async function load() {
    const { staff } = await portal.ask("GET", "/staff/accounts");
    list.replaceChildren(table("Staff accounts", ["E-mail", "Name", "Role", "Change"], staff.map(rowOf)));
  }

  function rowOf({ email, full_name: name, role }) {
    const path = `/staff/accounts/${encodeURIComponent(email)}`;
    const roles = roleList({ "aria-label": `Role of ${email}` });
    roles.value = role;
    const change = (method, fields, said) =>
      portal.attempt(async () => {
        const answer = await portal.ask(method, path, fields);
        await load();
        return said(answer);
      });
    return [
      email,
      name,
      roles,
      [
        button("Set role", () => change("PATCH", { role: roles.value }, () => `${email} is ${roles.value}.`)),
        button("New password", () => {
          if (confirm(`Make a new password for ${email}? Its sessions end.`))
            void change("PATCH", { new_password: true }, ({ password }) => passwordSaid(email, password));
        }),
        button(
          "Remove",
          () => {
            if (confirm(`Remove ${email} from the staff?`))
              void change("DELETE", undefined, () => `${email} is removed.`);
          },
          { class: "danger", "aria-label": `Remove ${email}` },
        ),
      ],
    ];
  }

  function adding() {
    const email = field("E-mail", el("input", { type: "email", required: true, autocomplete: "off" }));
    const name = field("Name", el("input", { autocomplete: "off" }));
    const role = field("Role", roleList());
    const existing = el("input", { type: "checkbox" });
    const adding = form(
      portal,
      async () => {
        const added = await portal.ask("POST", "/staff/accounts", {
          ...{ email: email.input.value, full_name: name.input.value },
          ...{ role: role.input.value, existing: existing.checked },
        });
        adding.reset();
        await load();
        return passwordSaid(added.email, added.password);
      },
      email.element,
      name.element,
      role.element,
      el("label", { class: "check" }, existing, " make staff of a user's account; its password changes"),
      el("button", { type: "submit" }, "Add"),
    );
    return part("Add somebody", adding);
  }

  function ownPassword() {
    const old = el("input", { type: "password", required: true, autocomplete: "current-password" });
    const next = el("input", {
      ...{ type: "password", required: true, autocomplete: "new-password", minlength: "12" },
    });
    const changing = form(
      portal,
      async () => {
        await portal.ask("POST", "/staff/password", { old: old.value, new: next.value });
        changing.reset();
        return "Your password is changed.";
      },
      el("label", {}, "Old password ", old),
      el("label", {}, "New password, 12 characters or more ", next),
      el("button", { type: "submit" }, "Change"),
    );
    return part("Your password", changing);
  }
}

function passwordSaid(email, password) {
  return `Password of ${email}: ${password} (shown this once).`;
}
