import { z } from "zod";

/** "host:port", an IPv6 address in brackets. */
const ADDRESS = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i;

/** Host and port of a text; undefined when it is none. */
export function gatewayAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, v6, name, digits] = ADDRESS.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  return host === undefined || !(port >= 1 && port <= 65_535)
    ? undefined
    : { host: host.toLowerCase(), port };
}

/** Options of the P-CSCF's media gateways. */
export const mediaOptions = {
  mediaGateway: z
    .enum(["off", "auto", "always"])
    .default("off")
    .describe(
      "media gateways between UEs of WebRTC and others; auto: where an offer reaches a UE that does not speak it; always: for every UE of WebRTC, the core sees RTP/AVP only",
    ),
  mediaGatewayAddresses: z
    .array(
      z
        .string()
        .refine((text) => gatewayAddress(text) !== undefined, "write host:port, [address]:port for IPv6"),
    )
    .default([])
    .describe(
      "ng control ports of rtpengines as host:port, separated by commas; the same list at every member of the pool",
    ),
  mediaGatewayFailure: z
    .enum(["refuse", "pass"])
    .default("refuse")
    .describe(
      "what becomes of an offer that no media gateway converts; refuse: 488; pass: it goes on as it is",
    ),
  mediaGatewayTimeoutMs: z
    .int()
    .min(100)
    .max(5_000)
    .default(1_000)
    .describe(
      "how long a media gateway is waited for, ms; an offer outside a dialog may be tried at a second one",
    ),
  mediaGatewayInterfaces: z
    .array(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, "a name of rtpengine's option --interface"))
    .refine((names) => names.length === 0 || names.length === 2, "two names: towards UEs, towards the core")
    .default([])
    .describe(
      "names of the media gateways' interfaces towards UEs and towards the core, separated by a comma; default: they have one",
    )
    .meta({ needs: ["mediaGatewayAddresses"] }),
  mediaGatewayCodecs: z
    .array(z.string().regex(/^[A-Za-z0-9-]{1,32}(?:\/[0-9]{1,6}(?:\/[0-9])?)?$/, "a name as in a=rtpmap"))
    .default([])
    .describe(
      "codecs that offers get besides theirs, transcoded at the media gateway when they are taken, separated by commas",
    )
    .meta({ needs: ["mediaGatewayAddresses"] }),
};
