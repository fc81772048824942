/** A request that ellis has refused; the message is for the user. */
export class Refused extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

async function send(method, path, headers, body) {
  let response;
  try {
    response = await fetch(path, { method, headers, body, credentials: "same-origin" });
  } catch {
    throw new Refused(0, "The portal does not answer; try again.");
  }
  const text = await response.text();
  if (response.ok) return text;
  let reason = response.statusText;
  try {
    reason = JSON.parse(text).reason;
  } catch {
    // Something between us and ellis has answered.
  }
  throw new Refused(response.status, reason);
}

/** A request with fields, and its answer as an object. */
export async function ask(method, path, fields) {
  const headers = fields === undefined ? {} : { "content-type": "application/json" };
  const text = await send(method, path, headers, fields === undefined ? undefined : JSON.stringify(fields));
  return text === "" ? {} : JSON.parse(text);
}

export function readDocument(path) {
  return send("GET", path, {});
}

export function writeDocument(path, xml) {
  return send("PUT", path, { "content-type": "application/xml" }, xml);
}

/** Sets a password with the code of a mail. */
export function recover(email, token, password) {
  const headers = { "content-type": "text/plain; charset=utf-8", "ngv-recovery-token": token };
  return send("POST", `${accountPath(email)}/password`, headers, password);
}

export function accountPath(email) {
  return `/accounts/${encodeURIComponent(email)}`;
}
