import type { Clock } from "@ims/runtime";
import { type Flow, responseTo, type SipMessage } from "@ims/sip";
import { HOME, LOOPBACK, requestOf, StandIn } from "./stand-in.ts";

const SESSION =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/** A UE that registers, calls, and takes every call. */
export class StandInUe extends StandIn {
  readonly aor: string;
  readonly #protocol: "TCP" | "UDP";
  readonly #port: number;
  #via = "";
  #contact = "";
  #requests = 0;
  #serviceRoute: readonly string[] = [];
  readonly #waiting = new Map<string, (response: SipMessage) => void>();

  constructor(user: string, to: { readonly protocol: "TCP" | "UDP"; readonly port: number }, clock: Clock) {
    super("access", clock);
    this.aor = `sip:${user}@${HOME}`;
    this.#protocol = to.protocol;
    this.#port = to.port;
  }

  async start(): Promise<void> {
    const port = await this.listen(this.#protocol);
    this.#via = `SIP/2.0/${this.#protocol} ${LOOPBACK}:${port};rport`;
    this.#contact = `<sip:${LOOPBACK}:${port};transport=${this.#protocol.toLowerCase()}>`;
  }

  /** TS 24.229 §5.1.1: unprotected, then with an answer to the challenge. Says whether it worked. */
  async register(): Promise<boolean> {
    let status = 0;
    for (const response of ["", "0123456789abcdef0123456789abcdef"]) {
      const request = this.#request("REGISTER", `sip:${HOME}`, { to: `<${this.aor}>`, callId: this.aor });
      request
        .append("Contact", `${this.#contact};reg-id=1;+sip.instance="<urn:uuid:${this.aor}>"`)
        .append("Expires", "600")
        .append("Supported", "path, outbound")
        .append(
          "Authorization",
          `Digest username="${this.aor.slice(4)}",realm="${HOME}",nonce="6c6f6f706261636b",uri="sip:${HOME}",response="${response}"`,
        );
      const answer = await this.#ask(request);
      this.#serviceRoute = answer.values("Service-Route");
      status = answer.status;
    }
    return status === 200;
  }

  /** A call from its INVITE to the answer of its BYE: RFC 3261 §13, §15. Says whether it worked. */
  async call(callee: StandInUe): Promise<boolean> {
    const callId = `call-${this.#requests}-${this.aor}`;
    const invite = this.#request("INVITE", callee.aor, { to: `<${callee.aor}>`, callId });
    for (const route of this.#serviceRoute) invite.append("Route", route);
    invite.append("Contact", this.#contact).setBody(SESSION, "application/sdp");
    const answer = await this.#ask(invite);
    if (answer.status !== 200) return false;
    const remote = /<([^>]*)>/.exec(answer.header("Contact") ?? "")?.[1] ?? "";
    const inDialog = (method: string): SipMessage => {
      const request = this.#request(method, remote, { to: answer.header("To") ?? "", callId });
      for (const route of answer.values("Record-Route").reverse()) request.append("Route", route);
      return request;
    };
    const ack = inDialog("ACK").set("CSeq", `${invite.cseqNumber} ACK`);
    this.#flow().send(ack.toString());
    return (await this.#ask(inDialog("BYE"))).status === 200;
  }

  protected onRequest(request: SipMessage, flow: Flow): void {
    if (request.cseqMethod === "ACK") return;
    if (request.cseqMethod === "INVITE") flow.send(this.#answerTo(request, 180).toString());
    const answer = this.#answerTo(request, 200);
    if (request.cseqMethod === "INVITE") answer.setBody(SESSION, "application/sdp");
    flow.send(answer.toString());
  }

  protected onResponse(response: SipMessage): void {
    if (response.status < 200) return;
    const branch = response.topVia?.branch ?? "";
    this.#waiting.get(branch)?.(response);
    this.#waiting.delete(branch);
  }

  #answerTo(request: SipMessage, status: number): SipMessage {
    return responseTo(request, status, { toTag: "ue" }).append("Contact", this.#contact);
  }

  #request(
    method: string,
    uri: string,
    { to, callId }: { readonly to: string; readonly callId: string },
  ): SipMessage {
    const cseq = ++this.#requests;
    const via = `${this.#via};branch=z9hG4bK${this.aor.slice(4, 7)}${cseq}`;
    return requestOf(method, uri, { via, from: `<${this.aor}>;tag=ue`, to, callId, cseq });
  }

  #flow(): Flow {
    return this.flowTo({ protocol: this.#protocol, port: this.#port });
  }

  #ask(request: SipMessage): Promise<SipMessage> {
    return new Promise((resolve) => {
      this.#waiting.set(request.topVia?.branch ?? "", resolve);
      this.#flow().send(request.toString());
    });
  }
}
