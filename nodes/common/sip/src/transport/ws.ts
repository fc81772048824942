import { isUtf8 } from "node:buffer";
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { flushAtTurnEnd, type Timer } from "@ims/runtime";
import { type WebSocket, WebSocketServer } from "ws";
import { Connection, type ConnectionModules } from "./connection.ts";
import type { FlowEnds } from "./flow.ts";
import type { TransportLimits } from "./limits.ts";

// RFC 7118 §4: the name in Sec-WebSocket-Protocol.
const SUBPROTOCOL = "sip";
const MAX_HANDSHAKE_HEADERS = 8_192;

/** An HTTP(S) server that turns into WebSocket (RFC 6455) for the subprotocol "sip" and into nothing else. */
export function wsServer(
  pem: { readonly key: string; readonly cert: string } | undefined,
  limits: TransportLimits,
  onWebSocket: (socket: Socket, webSocket: WebSocket) => void,
): HttpServer {
  const http = {
    headersTimeout: limits.handshakeMs,
    requestTimeout: limits.handshakeMs,
    maxHeaderSize: MAX_HANDSHAKE_HEADERS,
    connectionsCheckingInterval: Math.max(100, Math.floor(limits.handshakeMs / 4)),
    noDelay: true,
  };
  const server =
    pem === undefined
      ? createHttpServer(http)
      : createHttpsServer({ ...http, ...pem, minVersion: "TLSv1.2", handshakeTimeout: limits.handshakeMs });
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    handleProtocols: () => SUBPROTOCOL,
  });
  server.on("request", (_request, response) => {
    response.writeHead(426, { Upgrade: "websocket", Connection: "close" }).end();
  });
  server.on("tlsClientError", () => {});
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const offered = (request.headers["sec-websocket-protocol"] ?? "")
      .split(",")
      .map((name) => name.trim().toLowerCase());
    if (!offered.includes(SUBPROTOCOL)) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () =>
        socket.destroy(),
      );
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (webSocket) => onWebSocket(socket as Socket, webSocket));
  });
  return server;
}

/** SIP over WebSocket: RFC 7118. One WebSocket message carries one SIP message, so there is nothing to frame. */
export class WsConnection extends Connection {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #corked = false;
  /** Bytes read when the last whole message had arrived: more of them mean that one has begun. */
  #bytesAtMessage: number;
  #trickling = false;
  #trickleTimer: Timer;

  constructor(ends: FlowEnds, modules: ConnectionModules, webSocket: WebSocket, socket: Socket) {
    super(ends, modules);
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#bytesAtMessage = socket.bytesRead;
    webSocket.on("message", (data: Buffer) => this.#onMessage(data.toString("latin1")));
    webSocket.on("ping", () => this.#onPing());
    webSocket.on("error", (error: Error & { code?: string }) => {
      if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" && this.open) this.garbage("tooLarge", "");
    });
    webSocket.on("close", () => this.ended());
    this.#trickleTimer = this.#watchTrickle();
  }

  send(text: string): boolean {
    if (!this.open) return false;
    // Text frames must be UTF-8 (RFC 6455 §5.6); a SIP message need not be.
    const bytes = Buffer.from(text, "latin1");
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      flushAtTurnEnd(this);
    }
    this.touch();
    this.#webSocket.send(bytes, { binary: !isUtf8(bytes) });
    if (this.#webSocket.bufferedAmount <= this.modules.limits.maxQueuedBytes) return true;
    this.destroy();
    return false;
  }

  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  protected override gone(): boolean {
    this.#trickleTimer.cancel();
    return super.gone();
  }

  protected pendingText(): string {
    return "";
  }

  protected endGently(): void {
    this.flush();
    this.#webSocket.close(1000);
  }

  protected destroyNow(): void {
    this.#webSocket.terminate();
  }

  #onMessage(text: string): void {
    if (!this.open) return;
    if (this.isStale(this.#arrived())) return this.dropStale();
    const first = text.charCodeAt(0);
    if (first !== 13 && first !== 10) {
      if (text !== "") this.modules.handler.onMessage(text, this);
      return;
    }
    const rest = text.replace(/^[\r\n]+/, "");
    if (rest !== "") this.modules.handler.onMessage(rest, this);
    else if (text === "\r\n\r\n") {
      this.send("\r\n");
      this.modules.handler.onKeepAlive?.(this);
    }
  }

  /** RFC 6455 §5.5.2; `ws` has answered it. */
  #onPing(): void {
    if (!this.open) return;
    this.#arrived();
    this.modules.handler.onKeepAlive?.(this);
  }

  /** A message that is still not whole after one to two periods comes from nobody who means it. */
  #watchTrickle(): Timer {
    return this.modules.clock.setTimer(this.modules.limits.partialMs, () => {
      const begun = this.#socket.bytesRead !== this.#bytesAtMessage;
      if (begun && this.#trickling) this.garbage("incomplete", "");
      else {
        this.#trickling = begun;
        this.#trickleTimer = this.#watchTrickle();
      }
    });
  }

  #arrived(): number {
    this.#trickling = false;
    this.#bytesAtMessage = this.#socket.bytesRead;
    return this.touch();
  }
}
