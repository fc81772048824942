import { button, el, form, part, table } from "../elements.js";
import { credentialFields } from "./credentials.js";
import { criteriaPart } from "./criteria.js";
import { pathOf } from "./path.js";
import { settingsPart } from "./settings.js";

/** All of one subscriber. */
export async function openOne(root, portal, name) {
  const path = pathOf(name);
  const may = portal.may("operator");
  await load();

  async function load() {
    const one = await portal.ask("GET", path);
    root.replaceChildren(
      el("p", {}, el("a", { href: portal.hrefOf("subscribers") }, "All subscribers")),
      el("h2", { class: "identity" }, one.impi),
      identities(one),
      ...sets(one),
      credentials(one),
      criteriaPart(one, portal, load),
      settingsPart(one, portal),
      ...(may ? [ending(one)] : []),
    );
  }

  function change(fields, said) {
    return portal.attempt(async () => {
      await portal.ask("PATCH", path, fields);
      await load();
      return said;
    });
  }

  function identities({ publicIdentities }) {
    const heads = ["Public identity", "Barred", "Registration", "S-CSCF", ...(may ? ["Change"] : [])];
    const rows = publicIdentities.map(({ impu, barred, state, serverName }) => [
      impu,
      barred ? "barred" : "no",
      state.replaceAll("-", " "),
      serverName ?? "",
      ...(may
        ? [
            [
              button(
                barred ? "Let it be used" : "Bar",
                () => change({ addPublicIdentities: [{ impu, barred: !barred }] }, `${impu} is changed.`),
                { "aria-label": `${barred ? "Let be used" : "Bar"} ${impu}` },
              ),
              button(
                "Remove",
                () => {
                  if (confirm(`Remove ${impu}?`))
                    void change({ removePublicIdentities: [impu] }, `${impu} is removed.`);
                },
                { class: "danger", "aria-label": `Remove ${impu}` },
              ),
            ],
          ]
        : []),
    ]);
    const impu = el("input", { name: "impu", required: true, autocomplete: "off" });
    const adding = form(
      portal,
      async () => {
        await portal.ask("PATCH", path, { addPublicIdentities: [{ impu: impu.value.trim() }] });
        await load();
        return "The public identity is added.";
      },
      el("label", {}, "Another public identity, sip: or tel: ", impu),
      el("button", { type: "submit" }, "Add it"),
    );
    return part("Identities", table("Public identities", heads, rows), ...(may ? [adding] : []));
  }

  function sets({ registrationSets = [], sharesWith = [] }) {
    const parts = registrationSets.map(({ id, privateIdentities, serviceProfiles }) =>
      el(
        "li",
        {},
        el("h3", {}, `Set ${id}`),
        el("p", {}, `May be registered by ${privateIdentities.join(", ")}`),
        ...serviceProfiles.map((profile) =>
          el(
            "p",
            {},
            `Service profile ${profile.id}: ${profile.publicIdentities.join(", ") || "no identity"}`,
          ),
        ),
      ),
    );
    const others = sharesWith.map((other) =>
      el("li", {}, el("a", { href: portal.hrefOf("subscribers", other) }, other)),
    );
    return [
      part(
        "Implicit registration sets",
        ...(parts.length === 0
          ? [el("p", {}, "One set with one service profile: all public identities are registered together.")]
          : [el("ul", {}, ...parts)]),
      ),
      ...(others.length === 0 ? [] : [part("The same subscription has", el("ul", {}, ...others))]),
    ];
  }

  function credentials({ authentication }) {
    const has = (kind) => (authentication.includes(kind) ? "present, never shown" : "none");
    const said = el(
      "dl",
      {},
      el("dt", {}, "SIM (K, OPc, AMF, SQN)"),
      el("dd", {}, has("aka")),
      el("dt", {}, "Password (SIP Digest)"),
      el("dd", {}, has("digest")),
    );
    if (!may) return part("Credentials", said);
    const fields = credentialFields();
    const setting = form(
      portal,
      async () => {
        const given = fields.read();
        if (given === undefined) return "Nothing was changed; see the marked fields.";
        try {
          await portal.ask("PATCH", path, { credentials: given });
        } catch (error) {
          fields.judge(error.detail ?? {});
          throw error;
        }
        await load();
        return "The credentials are set anew.";
      },
      el("p", {}, "What is there now is replaced, all of it."),
      fields.element,
      el("button", { type: "submit" }, "Set"),
    );
    const reset = button("Reset SQN to 0", () => {
      if (confirm("Reset SQN? The SIM answers the next challenge with a resynchronization."))
        void change({ credentials: { sqn: "000000000000" } }, "SQN is 0 again.");
    });
    return part(
      "Credentials",
      said,
      el("details", {}, el("summary", {}, "Set anew"), setting),
      ...(authentication.includes("aka") ? [el("p", {}, reset)] : []),
    );
  }

  function ending({ impi }) {
    const end = button("End its registrations", () => {
      if (!confirm(`End all registrations of ${impi}?`)) return;
      void portal.attempt(async () => {
        await portal.ask("POST", `${path}/deregister`, {});
        await load();
        return `${impi} is deregistered.`;
      });
    });
    const removal = button(
      "Delete the subscriber",
      () => {
        if (!confirm(`Delete ${impi} for good?`)) return;
        void portal.attempt(async () => {
          await portal.ask("DELETE", path);
          portal.go("subscribers");
          return `${impi} is deleted.`;
        });
      },
      { class: "danger" },
    );
    return part("End", el("p", {}, end, " ", removal));
  }
}
