import { CaseFile } from "../src/case/case-file.ts";
import type { NodeStep } from "../src/trail/ask-node.ts";
import { type Exchange, exchangeOf } from "../src/trail/exchange.ts";

export const START = Date.UTC(2026, 0, 1);
export const UE = {
  protocol: "UDP",
  side: "access",
  local: "10.0.0.1:5060",
  remote: "192.0.2.7:5071",
} as const;
export const CORE = {
  protocol: "TCP",
  side: "core",
  local: "10.0.0.1:5058",
  remote: "10.0.0.2:5052",
} as const;

/** Steps as nodes record them, one after the other. */
export class Recorded {
  readonly steps: NodeStep[] = [];
  readonly callId: string;
  #at = 0;

  constructor(callId = "call-1") {
    this.callId = callId;
  }

  /** A SIP message at bono: "in" from, or "out" to, the UE. Lines beside those that every message has. */
  sip(
    direction: "in" | "out",
    startLine: string,
    lines: readonly string[] = [],
    more: Partial<NodeStep> = {},
  ): this {
    const [, code] = /^SIP\/2\.0 ([0-9]{3}) /.exec(startLine) ?? [];
    const cseq = lines.find((line) => line.startsWith("CSeq:"));
    const method = /^CSeq: [0-9]+ ([A-Z]+)$/.exec(cseq ?? "")?.[1] ?? startLine.split(" ", 1)[0] ?? "";
    const text = [
      startLine,
      "Via: SIP/2.0/UDP 192.0.2.7:5071;branch=z9hG4bK1",
      ...(lines.some((line) => line.startsWith("From:")) ? [] : ["From: <sip:alice@example.com>;tag=1"]),
      ...(lines.some((line) => line.startsWith("To:")) ? [] : ["To: <sip:alice@example.com>"]),
      `Call-ID: ${this.callId}`,
      ...(cseq === undefined ? [`CSeq: 1 ${method}`] : []),
      ...lines,
      "",
      "",
    ].join("\r\n");
    return this.step({
      kind: "sip",
      direction,
      title: code === undefined ? startLine.replace(/ SIP\/2\.0$/, "") : `${startLine.slice(8)} (${method})`,
      ends: UE,
      callId: this.callId,
      request: code === undefined,
      method,
      ...(code === undefined ? {} : { status: Number(code) }),
      fields: { from: "sip:alice@example.com", to: "sip:alice@example.com" },
      text,
      ...more,
    });
  }

  cx(title: string, fields: Record<string, unknown> = {}): this {
    return this.step({ kind: "cx", direction: "in", node: "sprout", title, ends: CORE, fields });
  }

  decided(what: string, fields: Record<string, string>): this {
    return this.step({
      kind: "decision",
      direction: "",
      node: "sprout",
      title: what,
      callId: this.callId,
      fields: { what, ...fields },
    });
  }

  /** `ms` go by. */
  wait(ms: number): this {
    this.#at += ms;
    return this;
  }

  step(step: Partial<NodeStep> & { readonly title: string; readonly kind: string }): this {
    this.#at += 1;
    this.steps.push({
      sequence: this.steps.length,
      node: "bono",
      direction: "",
      time: START + this.#at,
      ...step,
    });
    return this;
  }

  get file(): CaseFile {
    return new CaseFile(this.exchange);
  }

  get exchange(): Exchange {
    return exchangeOf(this.steps);
  }
}
