const SIMSERVS = "http://uri.etsi.org/ngn/params/xml/simservs/xcap";
const POLICY = "urn:ietf:params:xml:ns:common-policy";
/** Our rule among those that phones have made, which stay. */
const RULE = "portal";

const HIDE = "originating-identity-presentation-restriction";
const INCOMING = "incoming-communication-barring";
const OUTGOING = "outgoing-communication-barring";
const DIVERSION = "communication-diversion";

/** What a simservs document (TS 24.623) says, as the form shows it. */
export function settingsOf(xml) {
  const root = parsed(xml);
  const hide = serviceOf(root, HIDE);
  const behaviour = hide?.getElementsByTagNameNS(SIMSERVS, "default-behaviour")[0]?.textContent.trim();
  return {
    hide: isActive(hide) && behaviour !== "presentation-not-restricted",
    incoming: isActive(serviceOf(root, INCOMING)) && ruleOf(root, INCOMING) !== undefined,
    outgoing: isActive(serviceOf(root, OUTGOING)) && ruleOf(root, OUTGOING) !== undefined,
    divert: isActive(serviceOf(root, DIVERSION))
      ? (ruleOf(root, DIVERSION)?.getElementsByTagNameNS(SIMSERVS, "target")[0]?.textContent.trim() ?? "")
      : "",
  };
}

/** The document with these settings; what the form does not show stays. */
export function withSettings(xml, { hide, incoming, outgoing, divert }) {
  const root = parsed(xml);
  if (hide || serviceOf(root, HIDE) !== undefined) {
    const service = madeService(root, HIDE);
    service.setAttribute("active", "true");
    for (const old of [...service.getElementsByTagNameNS(SIMSERVS, "default-behaviour")]) old.remove();
    add(
      service,
      SIMSERVS,
      "default-behaviour",
      hide ? "presentation-restricted" : "presentation-not-restricted",
    );
  }
  setRule(root, INCOMING, incoming, (actions) => add(actions, SIMSERVS, "allow", "false"));
  setRule(root, OUTGOING, outgoing, (actions) => add(actions, SIMSERVS, "allow", "false"));
  setRule(root, DIVERSION, divert !== "", (actions) =>
    add(add(actions, SIMSERVS, "forward-to"), SIMSERVS, "target", divert),
  );
  return new XMLSerializer().serializeToString(root.ownerDocument);
}

function parsed(xml) {
  const root = new DOMParser().parseFromString(xml, "application/xml").documentElement;
  if (root.localName !== "simservs") throw new Error("The settings of your services cannot be read.");
  return root;
}

function serviceOf(root, name) {
  return [...root.children].find((each) => each.namespaceURI === SIMSERVS && each.localName === name);
}

function isActive(service) {
  return service !== undefined && service.getAttribute("active") !== "false";
}

function ruleOf(root, name) {
  const rules = serviceOf(root, name)?.getElementsByTagNameNS(POLICY, "rule") ?? [];
  return [...rules].find((rule) => rule.getAttribute("id") === RULE);
}

function madeService(root, name) {
  return serviceOf(root, name) ?? add(root, SIMSERVS, name);
}

/** Our rule comes first, without a condition. A service without any rule is switched off. */
function setRule(root, name, isOn, act) {
  ruleOf(root, name)?.remove();
  if (isOn) {
    const service = madeService(root, name);
    service.setAttribute("active", "true");
    const ruleset =
      service.getElementsByTagNameNS(POLICY, "ruleset")[0] ?? add(service, POLICY, "cp:ruleset");
    const rule = add(ruleset, POLICY, "cp:rule");
    rule.setAttribute("id", RULE);
    add(rule, POLICY, "cp:conditions");
    act(add(rule, POLICY, "cp:actions"));
    ruleset.prepend(rule);
  } else {
    const service = serviceOf(root, name);
    if (service?.getElementsByTagNameNS(POLICY, "rule").length === 0) service.setAttribute("active", "false");
  }
}

function add(parent, namespace, name, text) {
  const element = parent.ownerDocument.createElementNS(namespace, name);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}
