/** A request that ellis has refused; the message is for the user. */
export class Refused extends Error {
  constructor(status, reason, detail = {}) {
    super(reason);
    this.status = status;
    /** What is wrong, by field. */
    this.detail = detail;
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
  let refusal = { reason: response.statusText };
  try {
    refusal = JSON.parse(text);
  } catch {
    // Something between us and ellis has answered.
  }
  throw new Refused(response.status, refusal.reason, refusal.detail);
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

/** Sends a file as it is, without reading it into memory. */
export async function sendFile(path, type, file) {
  return JSON.parse(await send("POST", path, { "content-type": type }, file));
}

/** Sets a password with the code of a mail. */
export function recover(email, token, password) {
  const headers = { "content-type": "text/plain; charset=utf-8", "ngv-recovery-token": token };
  return send("POST", `${accountPath(email)}/password`, headers, password);
}

export function accountPath(email) {
  return `/accounts/${encodeURIComponent(email)}`;
}
