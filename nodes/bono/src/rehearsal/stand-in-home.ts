import type { Clock } from "@ims/runtime";
import { type Flow, responseTo, type SipMessage } from "@ims/sip";
import { HOME, LOOPBACK, StandIn } from "./stand-in.ts";

/** I- and S-CSCF of a network whose users are all who ask: challenges registrations, and forwards the rest to whom it is for. */
export class StandInHome extends StandIn {
  #port = 0;
  #pcscf = 0;
  #branches = 0;
  /** Path (RFC 3327) by user. */
  readonly #paths = new Map<string, { readonly path: string; readonly contact: string }>();

  constructor(clock: Clock) {
    super("core", clock);
  }

  /** Port of the I-CSCF. */
  async start(): Promise<number> {
    this.#port = await this.listen("TCP");
    return this.#port;
  }

  /** Where the trusted side of the P-CSCF is. */
  knows(port: number): void {
    this.#pcscf = port;
  }

  protected onRequest(request: SipMessage, flow: Flow): void {
    if (request.cseqMethod === "REGISTER") flow.send(this.#registered(request).toString());
    else this.#forward(request, flow);
  }

  /** RFC 3261 §16.7: the topmost Via is ours, and tells over which flow its request came. */
  protected onResponse(response: SipMessage): void {
    const [, flowId] = /^z9hG4bK(\d+)\./.exec(response.topVia?.branch ?? "") ?? [];
    response.replaceTop("Via", undefined);
    this.transport.flow(Number(flowId))?.send(response.toString());
  }

  #registered(request: SipMessage): SipMessage {
    if (!/response="[^"]/.test(request.header("Authorization") ?? ""))
      return responseTo(request, 401, { toTag: "home" }).append(
        "WWW-Authenticate",
        `Digest realm="${HOME}",nonce="6c6f6f706261636b",algorithm=MD5,qop="auth"`,
      );
    const contact = request.header("Contact") ?? "";
    const aor = /<(sip:[^>]*)>/.exec(request.header("To") ?? "")?.[1] ?? "";
    this.#paths.set(aor, {
      path: request.header("Path") ?? "",
      contact: /<([^>]*)>/.exec(contact)?.[1] ?? "",
    });
    return responseTo(request, 200, { toTag: "home" })
      .append("Path", request.header("Path") ?? "")
      .append("Contact", `${contact};expires=600`)
      .append("Service-Route", `<${this.#uri("orig")}>`)
      .append("P-Associated-URI", `<${aor}>`);
  }

  #forward(request: SipMessage, flow: Flow): void {
    request.popRoute();
    const callee = request.toTag === "" ? this.#paths.get(request.requestUri) : undefined;
    if (callee !== undefined) {
      request.requestUri = callee.contact;
      request.prepend("Record-Route", `<${this.#uri("")}>`).prepend("Route", callee.path);
    }
    const branch = `z9hG4bK${flow.id}.${++this.#branches}`;
    request.prepend("Via", `SIP/2.0/TCP ${LOOPBACK}:${this.#port};branch=${branch}`);
    this.flowTo({ protocol: "TCP", port: this.#pcscf }).send(request.toString());
  }

  #uri(parameter: string): string {
    return `sip:${LOOPBACK}:${this.#port};transport=tcp;lr${parameter === "" ? "" : `;${parameter}`}`;
  }
}
