import type { MultimediaAuthRequest } from "../src/cx/commands.ts";

/** Cx messages as they are on the wire between the example nodes; `overrides` replace single AVPs. */

const head = {
  sessionId: "sprout.example.com;1700000000;1",
  vendorSpecificApplicationId: { vendorId: 10415, authApplicationId: 16_777_216 },
  authSessionState: 1,
  originHost: "sprout.example.com",
  originRealm: "example.com",
} as const;

export function mar(overrides: Partial<MultimediaAuthRequest> = {}): MultimediaAuthRequest {
  return {
    ...head,
    destinationRealm: "example.com",
    userName: "6505550000@example.com",
    publicIdentity: "sip:6505550000@example.com",
    sipAuthDataItem: { sipAuthenticationScheme: "Unknown" },
    sipNumberAuthItems: 1,
    serverName: "sip:scscf.example.com:5054;transport=tcp",
    ...overrides,
  };
}
