import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Company } from "./company.ts";

/** More than any load here brings: everything is told, nothing left out for its rate. */
const RATE = 1_000_000;

/** Collectors of HEP3 and of OpenTelemetry spans that take what comes; at the end they say how much that was. */
export async function startCollectors(lane: number): Promise<Company> {
  const host = `127.0.${lane}.8`;
  let [packets, spans] = [0, 0];
  const hep = createSocket({ type: "udp4", recvBufferSize: 4_194_304 }, () => void packets++);
  hep.bind(0, host);
  await once(hep, "listening");
  const otlp = createServer(async (request, response) => {
    let text = "";
    request.setEncoding("utf8");
    for await (const part of request) text += part;
    spans += text.split('"spanId"').length - 1;
    response.setHeader("content-type", "application/json").end("{}");
  });
  otlp.listen(0, host);
  await once(otlp, "listening");
  const { port } = otlp.address() as AddressInfo;
  const settings = [
    `hep-collector=udp:${host}:${hep.address().port}`,
    `hep-rate=${RATE}`,
    `otlp-endpoint=http://${host}:${port}/v1/traces`,
    `otlp-rate=${RATE}`,
  ];
  return {
    args: ["bono", "sprout", "homestead"].flatMap((node) =>
      settings.flatMap((setting) => ["--set", `${node}.${setting}`]),
    ),
    sipps: [],
    end: async () => {
      hep.close();
      otlp.close();
      otlp.closeAllConnections();
      console.error(`bench: the collectors were told of ${packets} messages by HEP3 and ${spans} spans`);
    },
  };
}
