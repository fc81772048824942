import { readDocument, writeDocument } from "../../api.js";
import { el, form, part, table } from "../elements.js";
import { pathOf } from "./path.js";

/** Initial filter criteria (TS 29.228 annex B): those of the service profile, or of each; XML for who changes them. */
export function criteriaPart({ impi, services, registrationSets = [] }, portal, changed) {
  const profiles = registrationSets.flatMap(({ serviceProfiles }) => serviceProfiles);
  const shown =
    profiles.length > 1
      ? profiles.map((profile) => profileOf(`Of service profile ${profile.id}`, profile.services))
      : [profileOf("Initial filter criteria", services)];
  if (!portal.may("operator") || profiles.length > 1) return part("Service profile", ...shown);
  const path = `${pathOf(impi)}/ifcs`;
  const xml = el("textarea", { rows: "12", spellcheck: "false" });
  const editing = form(
    portal,
    async () => {
      await writeDocument(path, xml.value);
      await changed();
      return "The filter criteria are saved.";
    },
    el("label", {}, "InitialFilterCriteria as XML (TS 29.228 annex E) ", xml),
    el("button", { type: "submit" }, "Save"),
  );
  editing.hidden = true;
  const details = el("details", {}, el("summary", {}, "Change the filter criteria"), editing);
  details.addEventListener("toggle", () => {
    if (!details.open || !editing.hidden) return;
    void portal.attempt(async () => {
      xml.value = await readDocument(path);
      editing.hidden = false;
    });
  });
  return part("Service profile", ...shown, details);
}

function profileOf(title, services) {
  const criteria = services?.initialFilterCriteria ?? [];
  const sets = services?.sharedIfcSetIds ?? [];
  const priorities = services?.resourcePriorities ?? [];
  return el(
    "div",
    {},
    criteria.length === 0
      ? el("p", {}, `${title}: none.`)
      : table(
          title,
          ["Priority", "Application server", "When", "If it fails"],
          criteria.map(({ priority, trigger, applicationServer }) => [
            String(priority),
            applicationServer.serverName,
            trigger === undefined ? "every request" : wordsFor(trigger),
            applicationServer.defaultHandling === "continue" ? "the call goes on" : "the call ends",
          ]),
        ),
    ...(sets.length === 0 ? [] : [el("p", {}, `Shared sets of filter criteria: ${sets.join(", ")}`)]),
    ...(priorities.length === 0 ? [] : [el("p", {}, `May claim Resource-Priority ${priorities.join(", ")}`)]),
  );
}

const CASES = [
  "originating",
  "terminating",
  "terminating unregistered",
  "originating unregistered",
  "originating after diversion",
];

function wordsFor({ form, groups }) {
  const [inner, outer] = form === "cnf" ? [" or ", " and "] : [" and ", " or "];
  return groups
    .map((group) =>
      group
        .map(({ negated, condition }) => (negated ? "not " : "") + wordsForCondition(condition))
        .join(inner),
    )
    .join(outer);
}

function wordsForCondition(condition) {
  switch (condition.kind) {
    case "method":
      return condition.method;
    case "requestUri":
      return `Request-URI is ${condition.pattern}`;
    case "sipHeader":
      return condition.content === undefined
        ? `has ${condition.header}`
        : `${condition.header}: ${condition.content}`;
    case "sessionCase":
      return CASES[condition.sessionCase] ?? `session case ${condition.sessionCase}`;
    default:
      return `SDP ${condition.line}=${condition.content ?? ""}`;
  }
}
