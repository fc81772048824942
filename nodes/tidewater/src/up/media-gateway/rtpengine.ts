import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { type Daemon, installed, startDaemon } from "../daemon.ts";

/** Where rtpengine takes commands, and RTP: 250 calls with audio. */
const NG_PORT = 2_223;
const RTP_PORTS = { first: 30_000, last: 30_999 };

/** When bono is to use it: its option --media-gateway. */
export type Engage = "auto" | "always";

/** What bono is told of the media gateway. */
export interface MediaGatewayOfLab {
  /** host:port of its control port. */
  readonly address: string;
  readonly engage: Engage;
}

export interface Rtpengine extends MediaGatewayOfLab, Daemon {}

/**
 * Runs rtpengine of this machine in user space: media on `host`, commands on `inside`. Its process id is in rtpengine.pid of the state
 * directory. Throws an Error that says what is missing.
 */
export async function startRtpengine({
  host,
  inside,
  stateDir,
  engage,
  port = NG_PORT,
}: {
  readonly host: string;
  readonly inside: string;
  readonly stateDir: string;
  readonly engage: Engage;
  readonly port?: number;
}): Promise<Rtpengine> {
  const program = installed("rtpengine");
  if (program === undefined)
    throw new Error(
      "--media-gateway needs rtpengine, which is not installed: apt-get install --no-install-recommends rtpengine-daemon (Debian 12)",
    );
  const address = `${isIPv6(inside) ? `[${inside}]` : inside}:${port}`;
  if (await answersPing(inside, port))
    throw new Error(`--media-gateway: ${address} is in use by another rtpengine`);
  const args = [
    ...["--config-file=none", "--foreground", "--table=-1", "--log-stderr", "--log-level=4"],
    ...[`--interface=${host}`, `--listen-ng=${address}`, `--pidfile=${join(stateDir, "rtpengine.pid")}`],
    ...[`--port-min=${RTP_PORTS.first}`, `--port-max=${RTP_PORTS.last}`, "--num-threads=2"],
    ...["--timeout=60", "--silent-timeout=3600", "--offer-timeout=300", "--delete-delay=0"],
  ];
  const answers = (): Promise<boolean> => answersPing(inside, port);
  try {
    const daemon = await startDaemon({ name: "rtpengine", program, args, address, answers });
    return { ...daemon, address, engage };
  } catch (error) {
    throw new Error(`--media-gateway: ${(error as Error).message}`);
  }
}

/** One ping of the ng protocol. */
function answersPing(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cookie = randomBytes(8).toString("hex");
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const done = (is: boolean): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.close();
      resolve(is);
    };
    const timer = setTimeout(() => done(false), 300);
    socket.once("error", () => done(false));
    socket.on("message", (octets) => done(octets.toString("latin1").startsWith(`${cookie} `)));
    socket.connect(port, host, () => socket.send(`${cookie} d7:command4:pinge`));
  });
}
