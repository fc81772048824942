import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isLoopback } from "@ims/runtime";
import { ellisCommand } from "./ellis-command.ts";
import type { MediaGatewayOfLab } from "./media-gateway/rtpengine.ts";
import type { PoolKeys } from "./pools/keys.ts";
import type { TurnOfLab } from "./turn/coturn.ts";

/** What `tidewater up` was asked for. */
export interface UpOptions {
  readonly host: string;
  readonly domain: string;
  readonly stateDir: string;
  readonly seedExamples: boolean;
  readonly logLevel: string;
  /** bono and sprout in processes of their own. */
  readonly separate?: boolean;
  /** Run ralf too, with CDR files in the state directory. */
  readonly charging?: boolean;
  /** Run homer too, and the MMTEL application server in sprout. */
  readonly mmtel?: boolean;
  /** Run homer too, and the application server of call lists in sprout. */
  readonly callLists?: boolean;
  /** Run the twinning application server in sprout. */
  readonly twinning?: boolean;
  /** Run ellis too: accounts and numbers for users. */
  readonly ellis?: boolean;
  /** The TURN server that runs beside it. */
  readonly turn?: TurnOfLab | undefined;
  /** The media gateway that runs beside it. */
  readonly mediaGateway?: MediaGatewayOfLab | undefined;
  /** Path of a file of peers: bono is an IBCF too, and sprout sends to it what leaves the network. */
  readonly ibcf?: string;
  /** File of the PSAPs: an E-CSCF in sprout, emergency requests by bono. */
  readonly emergency?: string;
  /** What whoever asks the management ports must present; undefined: they are for this machine. */
  readonly managementTokenFile?: string | undefined;
  readonly set: readonly NodeOption[];
  /** Keys that outlive this run; default: new ones. */
  readonly keys?: PoolKeys;
}

/** An option for one node. */
export interface NodeOption {
  readonly node: string;
  readonly option: string;
  readonly value: string;
}

export interface NodeCommand {
  readonly name: "homestead" | "homer" | "ellis" | "ralf" | "sprout" | "bono";
  readonly args: readonly string[];
  /** Keys: not to be seen in the list of processes, the same when the node is started again, weaker than our environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Where ralf takes charging events. */
const RALF_PORT = 10_888;
/** Where the E-CSCF listens. */
const ECSCF_PORT = 5057;
/** Emergency numbers of 3GPP TS 22.101 §10.1.1 wherever a UE is; others with --set bono.emergency-numbers. */
export const EMERGENCY_NUMBERS = "112,911";
/** Where homer serves the core, and asks homestead. */
const HOMER_PORT = 7888;
const PROVISIONING_PORT = 8889;
/** Where bono takes SIP over WebSocket. */
const WS_PORT = 5062;
const WSS_PORT = 5063;

/** In the state directory: the routes of the BGCF when `--ibcf` makes them. */
export const IBCF_ROUTES = "bgcf-ibcf.json";

const here = import.meta.dirname;

/** Path of a node's program: nodes/<name>/bin/<name>.ts. */
export function programOf(name: string): string {
  return join(here, "../../../", name, "bin", `${name}.ts`);
}

/** An address as it is written in a URI. */
export function uriHostOf(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * The nodes in the order they start: a node's next hop is there before it. Beyond loopback only Gm and the management
 * ports are bound to the address given: what the nodes say to each other stays on this machine.
 */
export function nodeCommands(options: UpOptions): NodeCommand[] {
  const { host, domain, stateDir, keys } = options;
  const inside = isLoopback(host) ? host : "127.0.0.1";
  const uriHost = uriHostOf(inside);
  const { managementTokenFile: token } = options;
  const common = [
    ...["--home-domain", domain, "--management-address", host],
    ...["--log-level", options.logLevel, "--quiesce-seconds", "3"],
    ...(token === undefined ? [] : ["--management-token-file", token]),
  ];
  const charges = options.charging === true;
  const ralf: NodeCommand = {
    name: "ralf",
    args: ["--host", inside, ...common, "--state-dir", stateDir, "--cdr-dir", join(stateDir, "cdr")],
  };
  const toRalf = charges
    ? ["--ralf", `http://${uriHost}:${portOf("ralf", "port", RALF_PORT, options.set)}`]
    : [];
  const provisioning = portOf("homestead", "provisioning-port", PROVISIONING_PORT, options.set);
  const homer: NodeCommand = {
    name: "homer",
    args: [
      ...["--host", host, "--core-host", inside, ...common, "--state-dir", stateDir],
      ...["--homestead", `http://${uriHost}:${provisioning}`],
      ...(options.callLists === true ? ["--call-lists", "true"] : []),
    ],
  };
  const serves = options.mmtel === true || options.callLists === true;
  const homerUrl = `http://${uriHost}:${portOf("homer", "core-port", HOMER_PORT, options.set)}`;
  const servers = [
    ...(options.mmtel === true ? ["--homer", homerUrl] : []),
    ...(options.callLists === true ? ["--call-lists", homerUrl] : []),
    ...(options.twinning === true ? ["--twinning", "true"] : []),
  ];
  const ecscf = portOf("sprout", "ecscf-port", ECSCF_PORT, options.set);
  const { emergency } = options;
  const commands: NodeCommand[] = [
    ...(charges ? [ralf] : []),
    {
      name: "homestead",
      args: [
        ...["--host", inside, ...common, "--state-dir", stateDir],
        ...(options.seedExamples ? ["--seed-examples", "true"] : []),
      ],
    },
    ...(serves ? [homer] : []),
    ...(options.ellis === true
      ? [
          ellisCommand({
            ...{ host, common, stateDir, domain, homestead: `http://${uriHost}:${provisioning}` },
            turn: options.turn,
            phoneServer: phoneServerOf(options),
            managementTokenFile: token,
            homer:
              options.mmtel === true
                ? `http://${uriHost}:${portOf("homer", "core-port", HOMER_PORT, options.set)}`
                : undefined,
          }),
        ]
      : []),
    {
      name: "sprout",
      args: [
        ...["--host", inside, ...common, "--hss-peer", `${uriHost}:3868`],
        // Who is registered stays so when everything is started again.
        ...["--state-dir", stateDir],
        ...(options.ibcf === undefined ? [] : ["--bgcf-file", join(stateDir, IBCF_ROUTES)]),
        ...toRalf,
        ...servers,
        ...(emergency === undefined ? [] : ["--emergency-file", emergency]),
      ],
      ...(keys === undefined ? {} : { env: { TIDEWATER_SPROUT_GRUU_KEY: keys.gruuKey } }),
    },
    {
      name: "bono",
      args: [
        ...["--host", host, "--core-host", inside, ...common],
        ...["--icscf-uri", `sip:${uriHost}:5052;transport=tcp`],
        ...(options.ibcf === undefined ? [] : ["--ibcf-peers-file", options.ibcf]),
        ...(emergency === undefined
          ? []
          : [
              ...["--ecscf-uri", `sip:${uriHost}:${ecscf};transport=tcp`],
              ...["--emergency-numbers", EMERGENCY_NUMBERS],
            ]),
        ...toRalf,
        ...(options.mediaGateway === undefined
          ? []
          : [
              ...["--media-gateway", options.mediaGateway.engage],
              ...["--media-gateway-addresses", options.mediaGateway.address],
            ]),
      ],
      // A bono that is started again must know the flow tokens of the one before (RFC 5626 §5).
      env: { TIDEWATER_BONO_FLOW_TOKEN_KEY: keys?.flowTokenKey ?? randomBytes(32).toString("hex") },
    },
  ];
  return commands.map((command) => ({
    ...command,
    args: [
      ...command.args,
      ...options.set
        .filter(({ node }) => node === command.name)
        .flatMap(({ option, value }) => [`--${option}`, value]),
    ],
  }));
}

/** Routes of the BGCF with which everything that leaves goes to the IBCF of this machine. */
export function ibcfRoutes({ host, set }: Pick<UpOptions, "host" | "set">): string {
  const inside = uriHostOf(isLoopback(host) ? host : "127.0.0.1");
  const ibcf = `sip:ibcf@${inside}:${portOf("bono", "core-port", 5058, set)};transport=tcp`;
  return `${JSON.stringify({ routes: [{ domain: "*", route: [ibcf] }] }, undefined, 2)}\n`;
}

/** SIP over WebSocket of bono, secure when it has a certificate; undefined when it is on any address. */
function phoneServerOf({ host, set }: UpOptions): string | undefined {
  if (host === "0.0.0.0" || host === "::") return undefined;
  const isSecure = set.some(({ node, option }) => node === "bono" && /^tls-cert/.test(option));
  const port = isSecure ? portOf("bono", "wss-port", WSS_PORT, set) : portOf("bono", "ws-port", WS_PORT, set);
  return `${isSecure ? "wss" : "ws"}://${uriHostOf(host)}:${port}`;
}

/** The port of a node: as `--set` says, else the usual one. */
export function portOf(node: string, option: string, usual: number, set: readonly NodeOption[]): string {
  const told = set.filter((one) => one.node === node && one.option === option).at(-1)?.value;
  return told ?? String(usual);
}

/** Reads NODE.OPTION=VALUE, of a pool also MEMBER.OPTION=VALUE; undefined when it is something else or no such node exists. */
export function nodeOptionOf(text: string): NodeOption | undefined {
  const [, node, option, value] =
    /^((?:homestead|homer|ellis|sprout|bono|ralf)(?:-[1-9][0-9]{0,2})?)\.([a-z0-9-]+)=(.*)$/.exec(text) ?? [];
  if (node === undefined || option === undefined || value === undefined) return undefined;
  return { node, option, value };
}
