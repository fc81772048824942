import { escapeXml } from "../profile/xml.ts";
import {
  type Allow,
  COMMON_POLICY_NAMESPACE,
  type Condition,
  type ForwardTo,
  type IdentityRestriction,
  type Rule,
  SIMSERVS_NAMESPACE,
  type Simservs,
} from "./simservs.ts";

/** A simservs document (TS 24.623); what `parseSimservs` reads from it is what was given, but for conditions not known here. */
export function buildSimservs(simservs: Simservs): string {
  const { communicationDiversion: diversion, incomingBarring, outgoingBarring } = simservs;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<simservs xmlns="${SIMSERVS_NAMESPACE}" xmlns:cp="${COMMON_POLICY_NAMESPACE}">`,
    flag("originating-identity-presentation", simservs.originatingIdentityPresentation),
    restriction("originating-identity-presentation-restriction", simservs.originatingIdentityRestriction),
    flag("terminating-identity-presentation", simservs.terminatingIdentityPresentation),
    restriction("terminating-identity-presentation-restriction", simservs.terminatingIdentityRestriction),
    diversion &&
      service(
        "communication-diversion",
        diversion.active,
        timer(diversion.noReplySeconds) + ruleset(diversion.rules, forwardTo),
      ),
    incomingBarring &&
      service(
        "incoming-communication-barring",
        incomingBarring.active,
        ruleset(incomingBarring.rules, allow),
      ),
    outgoingBarring &&
      service(
        "outgoing-communication-barring",
        outgoingBarring.active,
        ruleset(outgoingBarring.rules, allow),
      ),
    flag("communication-waiting", simservs.communicationWaiting),
    "</simservs>",
  ];
  return `${lines.filter((line) => line !== undefined).join("\n")}\n`;
}

function flag(name: string, active: boolean | undefined): string | undefined {
  return active === undefined ? undefined : `  <${name} active="${active}"/>`;
}

function service(name: string, active: boolean, content: string): string {
  return `  <${name} active="${active}">\n${content}  </${name}>`;
}

function restriction(name: string, given: IdentityRestriction | undefined): string | undefined {
  if (given === undefined) return undefined;
  const behaviour = given.restricted ? "presentation-restricted" : "presentation-not-restricted";
  return service(name, given.active, `    <default-behaviour>${behaviour}</default-behaviour>\n`);
}

function timer(seconds: number | undefined): string {
  return seconds === undefined ? "" : `    <NoReplyTimer>${seconds}</NoReplyTimer>\n`;
}

function ruleset<Action>(rules: readonly Rule<Action>[], action: (action: Action) => string): string {
  if (rules.length === 0) return "";
  const each = rules.map(
    ({ id, conditions, action: given }) =>
      `      <cp:rule id="${escapeXml(id)}">\n        <cp:conditions>${conditions.map(condition).join("")}</cp:conditions>\n` +
      `        <cp:actions>${action(given)}</cp:actions>\n      </cp:rule>\n`,
  );
  return `    <cp:ruleset>\n${each.join("")}    </cp:ruleset>\n`;
}

function condition(given: Condition): string {
  switch (given.kind) {
    case "identity": {
      const ones = given.one.map((id) => `<cp:one id="${escapeXml(id)}"/>`);
      const many = given.many.map(({ domain, exceptIds, exceptDomains }) => {
        const of = domain === undefined ? "" : ` domain="${escapeXml(domain)}"`;
        const excepts = [
          ...exceptIds.map((id) => `<cp:except id="${escapeXml(id)}"/>`),
          ...exceptDomains.map((each) => `<cp:except domain="${escapeXml(each)}"/>`),
        ];
        return `<cp:many${of}>${excepts.join("")}</cp:many>`;
      });
      return `<cp:identity>${ones.join("")}${many.join("")}</cp:identity>`;
    }
    case "media":
      return `<media>${escapeXml(given.media)}</media>`;
    case "validity": {
      const periods = given.periods.map(
        ({ from, until }) =>
          `<cp:from>${new Date(from).toISOString()}</cp:from><cp:until>${new Date(until).toISOString()}</cp:until>`,
      );
      return `<cp:validity>${periods.join("")}</cp:validity>`;
    }
    case "unknown":
      return `<unknown:${given.name} xmlns:unknown="urn:unknown"/>`;
    default:
      return `<${given.kind}/>`;
  }
}

function allow({ allow: allowed }: Allow): string {
  return `<allow>${allowed}</allow>`;
}

function forwardTo(given: ForwardTo): string {
  const flags = [
    ["notify-caller", given.notifyCaller],
    ["reveal-identity-to-caller", given.revealIdentityToCaller],
    ["reveal-served-user-identity-to-caller", given.revealServedUserIdentityToCaller],
    ["reveal-identity-to-target", given.revealIdentityToTarget],
  ] as const;
  const said = flags.filter(([, value]) => !value).map(([name]) => `<${name}>false</${name}>`);
  if (given.notifyServedUser === true) said.push("<notify-served-user>true</notify-served-user>");
  if (given.notifyServedUserOnOutboundCall === true)
    said.push("<notify-served-user-on-outbound-call>true</notify-served-user-on-outbound-call>");
  const own =
    given.noReplySeconds === undefined ? "" : `<NoReplyTimer>${given.noReplySeconds}</NoReplyTimer>`;
  return `<forward-to><target>${escapeXml(given.target)}</target>${said.join("")}</forward-to>${own}`;
}
