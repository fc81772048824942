/**
 * The HSS of the measured peer: Cx (TS 29.229) over one TCP port, just enough to answer two CSCFs.
 * It shares no code with the product, so that both sides of the comparison stay independent.
 *
 * Started as `node hss.ts HOST PORT DOMAIN SCSCF-URI SUBSCRIBERS.csv` (lines `user;password`) with an IPC channel:
 * tells `{ ready: true }` when it listens and answers any message with its counters.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";

const [host = "", port = "", domain = "", scscfUri = "", subscribersFile = ""] = process.argv.slice(2);

type Subscriber = { impi: string; impu: string; ha1: string; scscf: string; registered: boolean };
const subscribers = new Map<string, Subscriber>();
for (const line of readFileSync(subscribersFile, "utf8").split("\n")) {
  const [user, password] = line.split(";");
  if (user === undefined || password === undefined) continue;
  const impi = `${user}@${domain}`;
  const ha1 = createHash("md5").update(`${impi}:${domain}:${password}`).digest("hex");
  subscribers.set(`sip:${impi}`, { impi, impu: `sip:${impi}`, ha1, scscf: "", registered: false });
}

/** User profile, TS 29.228 annex E, with one initial filter criterion that no call matches. */
const profile = ({ impi, impu }: Subscriber): string =>
  `<?xml version="1.0" encoding="UTF-8"?><IMSSubscription><PrivateID>${impi}</PrivateID><ServiceProfile>` +
  `<PublicIdentity><BarringIndication>0</BarringIndication><Identity>${impu}</Identity></PublicIdentity>` +
  "<InitialFilterCriteria><Priority>1</Priority><TriggerPoint><ConditionTypeCNF>0</ConditionTypeCNF><SPT>" +
  "<ConditionNegated>0</ConditionNegated><Group>0</Group><Method>PUBLISH</Method></SPT></TriggerPoint>" +
  "<ApplicationServer><ServerName>sip:127.0.0.8:5099</ServerName><DefaultHandling>0</DefaultHandling>" +
  "</ApplicationServer></InitialFilterCriteria></ServiceProfile></IMSSubscription>";

const CX = 16777216;
const THREE_GPP = 10415;
const MANDATORY = 0x40;
const VENDOR = 0x80;

function avp(code: number, value: string | number | readonly Buffer[], vendor = 0): Buffer {
  const data =
    typeof value === "string"
      ? Buffer.from(value)
      : typeof value === "number"
        ? uint32(value)
        : Buffer.concat(value);
  const header = vendor === 0 ? 8 : 12;
  const bytes = Buffer.alloc((header + data.length + 3) & ~3);
  bytes.writeUInt32BE(code, 0);
  bytes.writeUInt32BE(header + data.length, 4);
  bytes[4] = MANDATORY | (vendor === 0 ? 0 : VENDOR);
  if (vendor !== 0) bytes.writeUInt32BE(vendor, 8);
  data.copy(bytes, header);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

function readAvps(message: Buffer): Map<number, Buffer> {
  const avps = new Map<number, Buffer>();
  for (let at = 20; at + 8 <= message.length; ) {
    const length = message.readUIntBE(at + 5, 3);
    if (length < 8 || at + length > message.length) break;
    const header = message.readUInt8(at + 4) & VENDOR ? 12 : 8;
    const code = message.readUInt32BE(at);
    if (!avps.has(code)) avps.set(code, message.subarray(at + header, at + length));
    at += (length + 3) & ~3;
  }
  return avps;
}

const text = (avps: Map<number, Buffer>, code: number): string => avps.get(code)?.toString() ?? "";
const origin = [avp(264, host), avp(296, domain)];
const application = avp(260, [avp(266, THREE_GPP), avp(258, CX)]);
const success = avp(268, 2001);
const experimental = (code: number): Buffer => avp(297, [avp(266, THREE_GPP), avp(298, code)]);

type Cx = (subscriber: Subscriber, avps: Map<number, Buffer>) => Buffer[];

/** TS 29.229 §6.1.1: UAR. */
const userAuthorization: Cx = (subscriber) => [
  experimental(subscriber.registered ? 2002 : 2001),
  avp(602, subscriber.scscf || scscfUri, THREE_GPP),
];

/** §6.1.7: MAR, scheme "SIP Digest". */
const multimediaAuth: Cx = (subscriber, avps) => {
  subscriber.scscf = text(avps, 602);
  const digest = avp(
    635,
    [avp(104, domain), avp(111, "MD5"), avp(110, "auth"), avp(121, subscriber.ha1)],
    THREE_GPP,
  );
  return [
    success,
    avp(1, subscriber.impi),
    avp(601, subscriber.impu, THREE_GPP),
    avp(607, 1, THREE_GPP),
    avp(612, [avp(613, 1, THREE_GPP), avp(608, "SIP Digest", THREE_GPP), digest], THREE_GPP),
  ];
};

/** §6.1.3: SAR; types 1 and 2 register, 3 is an unregistered user, the rest take the registration away. */
const serverAssignment: Cx = (subscriber, avps) => {
  const type = avps.get(614)?.readUInt32BE(0) ?? 0;
  if (type >= 1 && type <= 3) subscriber.scscf = text(avps, 602);
  if (type === 1 || type === 2) subscriber.registered = true;
  if (type > 3) {
    subscriber.registered = false;
    subscriber.scscf = "";
    return [success, avp(1, subscriber.impi)];
  }
  return [success, avp(1, subscriber.impi), avp(606, profile(subscriber), THREE_GPP)];
};

/** §6.1.5: LIR. */
const locationInfo: Cx = (subscriber) =>
  subscriber.scscf === "" ? [experimental(5003)] : [success, avp(602, subscriber.scscf, THREE_GPP)];

const procedures = new Map<number, { name: string; run: Cx }>([
  [300, { name: "UAR", run: userAuthorization }],
  [301, { name: "SAR", run: serverAssignment }],
  [302, { name: "LIR", run: locationInfo }],
  [303, { name: "MAR", run: multimediaAuth }],
]);
/** `connections`: peers that have exchanged capabilities. */
const counters = { connections: 0, UAR: 0, SAR: 0, LIR: 0, MAR: 0, unknown: 0 };

function answer(request: Buffer, open: { peer: boolean }): Buffer | null {
  const code = request.readUIntBE(5, 3);
  if ((request.readUInt8(4) & 0x80) === 0) return null;
  if (code === 257) {
    if (!open.peer) counters.connections++;
    open.peer = true;
    const address = avp(257, [Buffer.from([0, 1, ...host.split(".").map(Number)])]);
    const product = avp(269, "peer-hss");
    return encode(request, [
      success,
      ...origin,
      address,
      avp(266, THREE_GPP),
      product,
      avp(265, THREE_GPP),
      application,
    ]);
  }
  if (code === 280 || code === 282) return encode(request, [success, ...origin]);
  const avps = readAvps(request);
  const head = [avp(263, text(avps, 263)), application, avp(277, 1), ...origin];
  const procedure = procedures.get(code);
  if (procedure === undefined) return encode(request, [...head, avp(268, 3001)]);
  counters[procedure.name as "UAR"]++;
  const subscriber = subscribers.get(text(avps, 601));
  if (subscriber === undefined) {
    counters.unknown++;
    return encode(request, [...head, experimental(5001)]);
  }
  return encode(request, [...head, ...procedure.run(subscriber, avps)]);
}

function encode(request: Buffer, avps: readonly Buffer[]): Buffer {
  const body = Buffer.concat(avps);
  const message = Buffer.alloc(20 + body.length);
  request.copy(message, 0, 0, 20);
  message.writeUInt32BE(message.length, 0);
  message[0] = 1;
  message[4] = request.readUInt8(4) & MANDATORY;
  body.copy(message, 20);
  return message;
}

function serve(socket: Socket): void {
  const open = { peer: false };
  socket.setNoDelay(true);
  let pending = Buffer.alloc(0);
  socket.on("data", (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    const answers: Buffer[] = [];
    while (pending.length >= 20) {
      const length = pending.readUIntBE(1, 3);
      if (length < 20) {
        socket.destroy();
        return;
      }
      if (pending.length < length) break;
      const reply = answer(pending.subarray(0, length), open);
      if (reply !== null) answers.push(reply);
      pending = pending.subarray(length);
    }
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    if (open.peer) counters.connections--;
  });
}

createServer(serve).listen(Number(port), host, () => process.send?.({ ready: true }));
process.on("message", () => {
  let registered = 0;
  for (const subscriber of subscribers.values()) if (subscriber.registered) registered++;
  process.send?.({ ...counters, subscribers: subscribers.size, registered });
});
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
