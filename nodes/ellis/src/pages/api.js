import { notice, waitWords } from "./notices.js";
import { patiently } from "./patience.js";

/** A request that ellis has refused; the message is for the user. */
export class Refused extends Error {
  constructor(status, reason, detail = {}) {
    super(reason);
    this.status = status;
    /** What is wrong, by field. */
    this.detail = detail;
  }
}

/** Later it may be otherwise: there was no answer, or the server was busy. */
export function isPassing(error) {
  return error instanceof Refused && (error.status === 0 || error.status === 503);
}

/** Nobody has to wait for it: the request is not repeated. */
export const ONCE = { isOnce: true };

async function send(method, path, headers, body, { isOnce = false } = {}) {
  const { response, text } = await answer(isOnce || method !== "GET", () =>
    fetch(path, { method, headers, body, credentials: "same-origin" }),
  );
  if (response.ok) return text;
  let refusal = { reason: response.statusText };
  try {
    refusal = JSON.parse(text);
  } catch {
    // Something between us and ellis has answered.
  }
  throw new Refused(response.status, refusal.reason, refusal.detail);
}

/** What is only read is asked for again while the server is busy, and who waits is told. */
async function answer(isOnce, request) {
  const said = notice();
  try {
    const response = isOnce
      ? await request()
      : await patiently(request, { waiting: (wait) => said.say(waitWords(wait)) });
    return { response, text: await response.text() };
  } catch {
    throw new Refused(0, "The portal does not answer; try again.");
  } finally {
    said.end();
  }
}

/** A request with fields, and its answer as an object. */
export async function ask(method, path, fields, how) {
  const headers = fields === undefined ? {} : { "content-type": "application/json" };
  const body = fields === undefined ? undefined : JSON.stringify(fields);
  const text = await send(method, path, headers, body, how);
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
