import { runDirOf } from "../operate/running-nodes.ts";
import type { NodeCommand } from "./nodes.ts";
import type { TurnOfLab } from "./turn/coturn.ts";

/** Numbers given out unless told otherwise: beside those of the examples. */
const NUMBERS = "6505551000-6505551999";

/** ellis of `tidewater up`: its keys and accounts are in the state directory. */
export function ellisCommand(told: {
  readonly host: string;
  readonly common: readonly string[];
  readonly stateDir: string;
  readonly domain: string;
  readonly homestead: string;
  /** Undefined: there are no telephony services. */
  readonly homer: string | undefined;
  readonly turn: TurnOfLab | undefined;
  /** Where bono takes SIP over WebSocket; undefined: no browser could go there. */
  readonly phoneServer: string | undefined;
  /** With which the nodes are asked. */
  readonly managementTokenFile: string | undefined;
}): NodeCommand {
  const { host, common, stateDir, domain, homestead, homer, turn, phoneServer } = told;
  const services =
    homer === undefined ? [] : ["--homer", homer, "--application-server", `sip:mmtel.${domain}`];
  const relays =
    turn === undefined ? [] : ["--turn-secret-file", turn.secretFile, "--turn-uris", turn.uris.join(",")];
  const { managementTokenFile: token } = told;
  const core = [
    ...["--core-run-dir", runDirOf(stateDir)],
    ...(token === undefined ? [] : ["--core-token-file", token]),
  ];
  const phone = phoneServer === undefined ? [] : ["--phone-servers", phoneServer];
  return {
    name: "ellis",
    args: [
      ...["--host", host, ...common, "--state-dir", stateDir],
      ...["--homestead", homestead, "--numbers", NUMBERS, ...core, ...services, ...relays, ...phone],
    ],
  };
}
