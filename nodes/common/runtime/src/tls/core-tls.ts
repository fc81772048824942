import { X509Certificate } from "node:crypto";
import type { ConnectionOptions, SecureContext } from "node:tls";
import type { AlarmList } from "../alarm/alarm-list.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { MetricsRegister } from "../metrics/register.ts";
import type { Pools } from "../pool/pools.ts";
import { runtimeProblems } from "../problems.ts";
import { isNamed, subjectsOf } from "./certificate-subject.ts";
import { type CoreTlsMode, networks } from "./core-tls-options.ts";
import { CredentialError, type Credentials } from "./credentials.ts";
import { FollowedCredentials } from "./followed-credentials.ts";

export interface CoreTlsFileOptions {
  readonly coreTlsCertificate: string;
  readonly coreTlsKey: string;
  readonly coreTlsCa: string;
}

export interface CoreTlsOptions extends CoreTlsFileOptions {
  readonly coreTls: CoreTlsMode;
  readonly coreTlsNames: readonly string[];
  readonly coreTlsPlainPeers: readonly string[];
}

export interface CoreTlsModules {
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarms?: AlarmList;
  /** Whose members certificates may name. */
  readonly pools?: Pools | undefined;
  readonly register?: MetricsRegister;
  /** "ims_sprout" */
  readonly metricsPrefix?: string;
}

/** A peer is told of once a minute, however often it tries. */
const TELL_EVERY_MS = 60_000;
const MAX_TOLD = 1_000;
const ADDRESS_FAMILY = /^[0-9.]+$|:/;

/** The certificate of a node, and whom it believes: for every protocol that the core speaks over TLS. */
export class CoreTls {
  readonly mode: CoreTlsMode;
  readonly #credentials: FollowedCredentials;
  readonly #modules: CoreTlsModules;
  readonly #names: readonly string[];
  readonly #hasPlainPeers: boolean;
  readonly #isPlain: (address: string) => boolean;
  readonly #told = new Map<string, number>();
  #refused = 0;

  /** Throws CredentialError for files that will not do. */
  constructor(options: CoreTlsOptions, modules: CoreTlsModules) {
    this.#modules = modules;
    this.mode = options.coreTls;
    this.#names = options.coreTlsNames;
    this.#hasPlainPeers = options.coreTlsPlainPeers.length > 0;
    this.#isPlain = networks(options.coreTlsPlainPeers);
    const { coreTlsCertificate: certificate, coreTlsKey: key, coreTlsCa: ca } = options;
    this.#credentials = new FollowedCredentials({ certificate, key, ca }, modules);
    const { metricsPrefix = "ims" } = modules;
    modules.register?.gauge({
      name: `${metricsPrefix}_core_tls_refused_total`,
      help: "Connections inside the core that were refused, or could not be made, because of TLS",
      type: "counter",
      value: () => this.#refused,
    });
  }

  /** PEM texts in force. */
  get credentials(): Credentials {
    return this.#credentials.current;
  }

  /** For connections that are made now. */
  get context(): SecureContext {
    return this.#credentials.context;
  }

  onChange(listener: (credentials: Credentials) => void): () => void {
    return this.#credentials.onChange(listener);
  }

  /** Can every peer be told to come back over TLS? */
  get speaksTls(): boolean {
    return (this.mode === "use" || this.mode === "require") && !this.#hasPlainPeers;
  }

  /** Is this a peer that is spoken with in the clear? */
  isPlain(address: string): boolean {
    return this.#isPlain(address);
  }

  /** The name that the certificate of a dialled server must have; undefined: pool members are known by their address. */
  nameToCheck(name: string | undefined, address: string): string | undefined {
    return name === undefined || this.#modules.pools?.isMember(address) === true
      ? undefined
      : name.toLowerCase();
  }

  /**
   * Why a certificate of our authorities is not that of a dialled server; undefined: it is. With a name it must have that name, for
   * addresses come from the DNS then (RFC 5922 §7.1); else the address, or the pool member that has it.
   */
  serverProblem(raw: Uint8Array, address: string, name?: string): string | undefined {
    const certificate = new X509Certificate(raw);
    const named =
      name === undefined ? this.#isAt(certificate, address) : isNamed(certificate, { names: [name] });
    return named ? undefined : `its certificate names ${subjectsOf(certificate)}, not ${name ?? address}`;
  }

  /** Why a certificate of our authorities is not that of who has connected from this address; undefined: it is. */
  clientProblem(certificate: X509Certificate | undefined, address: string): string | undefined {
    if (certificate === undefined) return "it has no certificate";
    if (this.#isAt(certificate, address) || isNamed(certificate, { names: this.#names })) return undefined;
    return `its certificate names ${subjectsOf(certificate)}, not ${address}`;
  }

  /** Counts what was refused, and says so in the log. */
  refused(peer: string, reason: string): void {
    this.#refused++;
    const { clock, log } = this.#modules;
    const key = `${peer} ${reason}`;
    const now = clock.monotonic();
    const told = this.#told.get(key);
    if (told !== undefined && now - told < TELL_EVERY_MS) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(key, now);
    log.warn(
      { peer, reason, problemId: runtimeProblems.corePeerRefused.id },
      "no TLS with a peer of the core",
    );
  }

  /** For tls.connect to a server that is known by the host that it is given. Spread for each connection: what was renewed counts. */
  clientOptions(): ConnectionOptions {
    const context = (): SecureContext => this.context;
    return {
      rejectUnauthorized: true,
      get secureContext() {
        return context();
      },
      checkServerIdentity: (host, { raw }) => {
        const problem = this.serverProblem(raw, host);
        return problem === undefined ? undefined : new Error(problem);
      },
    };
  }

  stop(): void {
    this.#credentials.stop();
  }

  #isAt(certificate: X509Certificate, address: string): boolean {
    const members = this.#modules.pools?.members.filter(({ addresses }) => addresses.includes(address)) ?? [];
    const names = members.flatMap(({ name, pool }) => [name, pool, name.slice(0, name.indexOf("."))]);
    return ADDRESS_FAMILY.test(address)
      ? isNamed(certificate, { address, names })
      : isNamed(certificate, { names: [...names, address.toLowerCase()] });
  }
}

/** Opened when TLS is spoken at all. Throws CredentialError when files are missing or will not do. */
export function openCoreTls(
  options: CoreTlsFileOptions & Partial<Omit<CoreTlsOptions, keyof CoreTlsFileOptions>>,
  /** Which options ask for it besides --core-tls, with their values. */
  uses: Readonly<Record<string, boolean>>,
  modules: CoreTlsModules,
): CoreTls | undefined {
  const { coreTls = "off", coreTlsNames = [], coreTlsPlainPeers = [] } = options;
  const asking = [
    ...(coreTls === "off" ? [] : [`--core-tls ${coreTls}`]),
    ...Object.entries(uses).flatMap(([option, used]) => (used ? [`--${option}`] : [])),
  ];
  if (asking.length === 0) return undefined;
  const missing = Object.entries({
    "--core-tls-certificate": options.coreTlsCertificate,
    "--core-tls-key": options.coreTlsKey,
    "--core-tls-ca": options.coreTlsCa,
  }).flatMap(([option, file]) => (file === "" ? [option] : []));
  if (missing.length > 0) {
    const problem = `${asking.join(" and ")} needs ${missing.join(", ")}`;
    throw new CredentialError({ code: "CORE_TLS_OPTION", problem }, { message: problem });
  }
  return new CoreTls({ ...options, coreTls, coreTlsNames, coreTlsPlainPeers }, modules);
}

/** In words of an operator: why a handshake has failed. */
export function handshakeProblem(error: NodeJS.ErrnoException): string {
  const { code = "" } = error;
  return (
    WORDS.get(code) ??
    (code === "" || code.startsWith("ERR_TLS_CERT") ? error.message : `the handshake fails: ${code}`)
  );
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not valid yet: compare the clocks"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "its certificate is of an authority that is not in --core-tls-ca"],
  ["UNABLE_TO_GET_ISSUER_CERT", "its certificate is of an authority that is not in --core-tls-ca"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "its certificate is of an authority that is not in --core-tls-ca"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "its certificate is of an authority that is not in --core-tls-ca"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is of no authority in --core-tls-ca but signed by itself"],
  ["INVALID_PURPOSE", "its certificate is not made for this side of TLS (extendedKeyUsage)"],
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "it has no certificate"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "it speaks in the clear, or a TLS before 1.2"],
  ["ERR_SSL_HTTP_REQUEST", "it speaks in the clear"],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "it speaks in the clear"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "it speaks a TLS before 1.2"],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "it speaks a TLS before 1.2"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "it does not know the authority of our certificate"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "it says that our certificate has expired"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "it does not believe our certificate: its log says why"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "it does not believe our certificate: its log says why"],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "it wants a certificate of ours"],
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "the handshake took too long"],
  ["ECONNRESET", "it ended the connection during the handshake: its log says why"],
]);
