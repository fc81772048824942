import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import {
  type CoreTls,
  type CoreTlsFileOptions,
  handshakeProblem,
  openCoreTls,
  type ServiceModules,
} from "@ims/runtime";

/** What a store needs of the certificates of the core. */
export type StoreTls = Pick<CoreTls, "clientOptions">;

/** TLS of the stores of a node, as its options want it. */
export interface StoresTls {
  readonly cassandra: ConnectionOptions | undefined;
  readonly memcached: StoreTls | undefined;
  stop(): void;
}

/** For a node that speaks no SIP. Throws CredentialError when files are missing or will not do. */
export function openStoresTls(
  options: CoreTlsFileOptions & { readonly cassandraTls: boolean; readonly memcachedTls?: boolean },
  modules: Pick<ServiceModules, "clock" | "log" | "health" | "register">,
  metricsPrefix: string,
): StoresTls {
  const { cassandraTls: cassandra, memcachedTls: memcached = false } = options;
  const { health, ...others } = modules;
  const uses = { "cassandra-tls": cassandra, "memcached-tls": memcached };
  const tls = openCoreTls(options, uses, { ...others, alarms: health.alarms, metricsPrefix });
  return {
    cassandra: cassandra && tls !== undefined ? tls.clientOptions() : undefined,
    memcached: memcached ? tls : undefined,
    stop: () => tls?.stop(),
  };
}

/** A connection to a memcached; `onread` as of node:net. */
export function dialStore(
  { host, port, onread }: { readonly host: string; readonly port: number; readonly onread: object },
  tls: StoreTls,
): TLSSocket {
  const options: ConnectionOptions & { onread: object } = { host, port, onread, ...tls.clientOptions() };
  const socket = connect(options);
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  return socket;
}

/** The words for a failed connection: of TLS those of an operator, else the code. */
export function connectionProblem(error: NodeJS.ErrnoException, secure: boolean): string {
  const code = error.code ?? "";
  return secure && !/^E(?!RR_)/.test(code) ? handshakeProblem(error) : code || error.message;
}
