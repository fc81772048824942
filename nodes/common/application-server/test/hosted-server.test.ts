import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import type { SipMessage } from "@ims/sip";
import { memoryStore } from "@ims/store";
import type { ApplicationServer, ApplicationServerModule, InitialRequest, ServerHost } from "../src/index.ts";
import { ServerBench, type ServerBenchOptions } from "../testing/index.ts";

function benchOf(
  make: (host: ServerHost) => Partial<ApplicationServer>,
  options: ServerBenchOptions = {},
): Promise<ServerBench> {
  const module: ApplicationServerModule = {
    interfaceVersion: 1,
    name: "tried",
    create: (host) => ({ onInitialRequest: (call: InitialRequest) => void call.forward(), ...make(host) }),
  };
  return ServerBench.of(module, options);
}

const brief = (sent: readonly SipMessage[]): (string | number)[] =>
  sent.map(({ method, status }) => status || method);

/** A promise that nobody keeps. */
const never = (): Promise<void> => new Promise(() => undefined);

test("TS 24.229 §5.7.1.3A: a server learns whose services it performs, and what its filter criterion says", async () => {
  const seen: unknown[] = [];
  const b = await benchOf(() => ({
    onInitialRequest(call) {
      seen.push([call.served?.impu, call.served?.sessionCase, call.criterion?.parameters.get("plan")]);
      call.forward();
    },
  }));
  for (const sessionCase of ["orig", "term", "orig-cdiv"] as const)
    await b.ask({ served: { impu: "sip:carol@example.com", sessionCase }, parameters: ";plan=gold" });
  await b.ask({ served: null, parameters: "" });
  assert.deepEqual(seen, [
    ["sip:carol@example.com", "orig", "gold"],
    ["sip:carol@example.com", "term", "gold"],
    ["sip:carol@example.com", "orig-cdiv", "gold"],
    ["sip:bob@example.com", "term", undefined],
  ]);
});

test("TS 24.229 §5.7.4: what is forwarded goes back to the S-CSCF without the server's Route; its answers are seen and edited", async () => {
  const b = await benchOf(() => ({
    onInitialRequest(call) {
      call.onUpstream((response) => void response.append("Server", "tried"));
      const copy = call.copy();
      copy.append("Subject", "hello");
      call.forward(copy);
    },
  }));
  const [asked] = await b.ask();
  assert.deepEqual(asked?.values("Route"), ["<sip:odi_x@127.0.0.1:5054;transport=tcp;lr>"]);
  assert.equal(asked?.header("Subject"), "hello");
  assert.equal(asked?.header("Max-Forwards"), "68");
  assert.ok(asked);
  const [answer] = await b.answer(asked, 180);
  assert.deepEqual([answer?.status, answer?.header("Server")], [180, "tried"]);
});

test("several branches are a parallel search; one that is absorbed may be followed by another, a relayed answer or one of ours", async () => {
  const b = await benchOf(() => ({
    onInitialRequest(call) {
      for (const to of ["sip:one@example.com", "sip:two@example.com"]) {
        const copy = call.copy();
        copy.requestUri = to;
        call.forward(copy, {
          parallel: 2,
          onResponse: (response) => {
            if (response.status !== 486) return "forward";
            call.respond(480, { reason: "Busy everywhere" });
            return "absorb";
          },
        });
      }
    },
  }));
  const [one, two] = await b.ask();
  assert.deepEqual([one?.requestUri, two?.requestUri], ["sip:one@example.com", "sip:two@example.com"]);
  assert.ok(one && two);
  await b.answer(one, 180);
  await b.answer(two, 180);
  const left = await b.answer(one, 486);
  assert.deepEqual(brief(left).sort(), [480, "ACK", "CANCEL"].sort());
});

test("what a method throws before anything was done is 500, a promise that rejects too: the default handling of the criterion", async () => {
  for (const onInitialRequest of [
    () => {
      throw new Error("at once");
    },
    async () => {
      await Promise.resolve();
      throw new Error("later");
    },
    () => Promise.reject(undefined),
  ]) {
    const b = await benchOf(() => ({ onInitialRequest }));
    assert.deepEqual(brief(await b.ask()), [500]);
    assert.deepEqual(brief(await b.ask({ method: "MESSAGE" })), [500]);
    assert.equal(b.failures.length, 2);
    assert.deepEqual(b.outcomes, ["asked", "failed", "asked", "failed"]);
  }
});

test("what is thrown once the request is on its way changes nothing for the call", async () => {
  const b = await benchOf((host) => ({
    onInitialRequest(call) {
      host.clock.setTimer(1_000, () => {
        throw new Error("in a timer");
      });
      call.onUpstream(() => {
        throw new Error("on the way back");
      });
      call.forward(call.copy(), {
        onResponse: () => {
          throw new Error("at an answer");
        },
      });
      throw new Error("after it has left");
    },
  }));
  const [asked] = await b.ask();
  assert.equal(asked?.method, "INVITE");
  await b.advance(1_000);
  assert.ok(asked);
  assert.deepEqual(brief(await b.answer(asked, 200)), [200]);
  assert.deepEqual(
    b.failures.map((each) => (each as Error).message),
    ["after it has left", "in a timer", "at an answer", "on the way back"],
  );
});

test("a server that does nothing in time has had its chance: 408, 504 to other methods; what it does afterwards has no effect", async () => {
  const calls: InitialRequest[] = [];
  const b = await benchOf(() => ({
    onInitialRequest(call) {
      calls.push(call);
      return never();
    },
  }));
  assert.deepEqual(brief(await b.ask()), []);
  assert.deepEqual(brief(await b.advance(1_990)), []);
  assert.deepEqual(brief(await b.advance(20)), [408]);
  await b.ask({ method: "MESSAGE" });
  assert.deepEqual(brief(await b.advance(2_010)), [504]);
  const [late] = calls;
  assert.equal(late?.answered, true);
  late?.forward();
  late?.respond(200);
  late?.cancelBranches();
  assert.deepEqual(brief(await b.left()), []);
});

test("a server that waits for something of its own first is waited for as long as it may; a provisional response is something", async () => {
  const b = await benchOf((host) => ({
    onInitialRequest(call) {
      if (call.request.has("Alert-Info")) call.respond(180);
      host.clock.setTimer(call.request.has("Alert-Info") ? 5_000 : 1_500, () => void call.forward());
    },
  }));
  assert.deepEqual(brief(await b.ask()), []);
  assert.deepEqual(brief(await b.advance(1_500)), ["INVITE"]);
  assert.deepEqual(brief(await b.ask({ headers: ["Alert-Info: <urn:alert:service:normal>"] })), [180]);
  assert.deepEqual(brief(await b.advance(5_000)), ["INVITE"]);
});

test("who absorbs the last answer and does nothing more has had its time too", async () => {
  const b = await benchOf(() => ({
    onInitialRequest: (call) => void call.forward(call.copy(), { onResponse: () => "absorb" }),
  }));
  const [asked] = await b.ask();
  assert.ok(asked);
  assert.deepEqual(brief(await b.answer(asked, 486)), ["ACK"]);
  assert.deepEqual(brief(await b.advance(2_010)), [408]);
});

test("one that hangs with every call is asked now and then only, until it does something", async () => {
  let hangs = true;
  let asked = 0;
  const b = await benchOf(() => ({
    onInitialRequest(call) {
      asked++;
      if (hangs) return never();
      call.forward();
      return undefined;
    },
  }));
  for (let call = 0; call < 5; call++) {
    await b.ask();
    await b.advance(2_010);
  }
  assert.equal(asked, 5);
  assert.equal(b.hosted.isHung, true);
  // The last one was late just now.
  assert.deepEqual(brief(await b.ask()), [503]);
  assert.equal(asked, 5);
  await b.advance(2_000);
  hangs = false;
  assert.deepEqual(brief(await b.ask()), ["INVITE"]);
  assert.deepEqual(brief(await b.ask()), ["INVITE"]);
  assert.equal(b.hosted.isHung, false);
  assert.equal(b.outcomes.filter((each) => each === "skipped").length, 1);
});

test("a caller who gives up is answered 487 whatever the server does, and then the server learns of it", async () => {
  let call: InitialRequest | undefined;
  const b = await benchOf(() => ({
    onInitialRequest(given) {
      call = given;
      return never();
    },
  }));
  await b.ask({ callId: "given-up" });
  const left = await b.cancel({ requestUri: "sip:bob@example.com", callId: "given-up" });
  assert.deepEqual(brief(left).sort(), [200, 487]);
  assert.deepEqual([call?.cancelled, call?.answered], [true, true]);
  assert.deepEqual(brief(await b.advance(2_010)), []);
  assert.ok(!b.outcomes.includes("late"));
});

test("what is no copy of the request cannot be forwarded, and a request for the server itself leads nowhere", async () => {
  const b = await benchOf(() => ({ onInitialRequest: (call) => void call.forward(call.request) }));
  assert.deepEqual(brief(await b.ask()), [500]);
  const other = await benchOf(() => ({
    onInitialRequest(call) {
      const copy = call.copy();
      copy.remove("Route");
      copy.requestUri = "sip:tried.example.com";
      call.forward(copy);
    },
  }));
  assert.deepEqual(brief(await other.ask()), [404]);
});

test("RFC 3261 §16.6: who stays in the path sees what follows, with the sealed state it left there, also at another member of the pool", async () => {
  const seen: unknown[] = [];
  const shared = { clock: fakeClock(), store: memoryStore({ clock: fakeClock() }) };
  const stays = (host: ServerHost): Partial<ApplicationServer> => ({
    onInitialRequest(call) {
      const copy = call.copy();
      call.recordRoute(copy, host.dialogs.seal(Buffer.from(call.served?.impu ?? "")));
      call.forward(copy);
    },
    onInDialogRequest(request) {
      const states = request.routes.map(({ user }) => host.dialogs.open(user));
      seen.push([
        request.request.method,
        ...states.map((state) => (typeof state === "string" ? state : Buffer.from(state).toString())),
      ]);
      request.forward();
    },
    onAck: ({ forwarded, routes }) => void forwarded.append("Subject", `${routes.length}`),
  });
  const b = await benchOf(stays, { shared });
  const [asked] = await b.ask();
  assert.ok(asked);
  assert.match(asked.top("Record-Route") ?? "", /^<sip:as_[A-Za-z0-9_-]+@tried\.example\.com;lr>$/);
  const other = await benchOf(stays, { shared });
  assert.deepEqual(brief(await other.inDialog("BYE", asked)), ["BYE"]);
  const [ack] = await b.inDialog("ACK", asked);
  assert.deepEqual([ack?.method, ack?.header("Subject"), ack?.values("Route")], ["ACK", "1", []]);
  const forged = asked.clone().set("Record-Route", "<sip:as_AAAA@tried.example.com;lr>");
  await b.inDialog("INFO", forged);
  const foreign = asked.clone().set("Record-Route", "<sip:bob@tried.example.com;lr>");
  await b.inDialog("INFO", foreign);
  assert.deepEqual(seen, [
    ["BYE", "sip:bob@example.com"],
    ["INFO", "forged"],
    ["INFO", "none"],
  ]);
});

test("inside a dialog a server that throws, hangs or has nothing to say keeps nothing: BYE and ACK go on", async () => {
  for (const [more, wait] of [
    [{ onInDialogRequest: never }, 2_010],
    [
      {
        onInDialogRequest: () => {
          throw new Error("BYE");
        },
        onAck: () => {
          throw new Error("ACK");
        },
      },
      0,
    ],
    [{}, 0],
  ] as const) {
    const b = await benchOf(() => ({
      onInitialRequest(call) {
        const copy = call.copy();
        call.recordRoute(copy);
        call.forward(copy);
      },
      ...more,
    }));
    const [asked] = await b.ask();
    assert.ok(asked);
    const left = [...(await b.inDialog("BYE", asked)), ...(wait === 0 ? [] : await b.advance(wait))];
    assert.deepEqual(brief(left), ["BYE"]);
    assert.deepEqual(brief(await b.inDialog("ACK", asked)), ["ACK"]);
  }
});

test("TS 24.229 §5.7.1.1: a third-party REGISTER is told with who and how long; one that throws or hangs answers 500", async () => {
  const told: unknown[] = [];
  const b = await benchOf(() => ({
    onRegistration: ({ impu, expires }) => void told.push([impu, expires]),
  }));
  const register = { method: "REGISTER", uri: "sip:Bob@EXAMPLE.com", headers: ["Expires: 600"] };
  assert.deepEqual(brief(await b.ask(register)), [200]);
  assert.deepEqual(told, [["sip:Bob@example.com", 600]]);
  const silent = await benchOf(() => ({}));
  assert.deepEqual(brief(await silent.ask(register)), [200]);
  const throwing = await benchOf(() => ({ onRegistration: () => Promise.reject(new Error("no")) }));
  assert.deepEqual(brief(await throwing.ask(register)), [500]);
  const hanging = await benchOf(() => ({ onRegistration: never }));
  await hanging.ask(register);
  assert.deepEqual(brief(await hanging.advance(2_010)), [500]);
});

test("stored data, metrics, notes and the log are the server's own", async () => {
  const b = await benchOf((host) => {
    host.addNote(() => {
      throw new Error("no note");
    });
    host.metrics.gauge("depth", "How deep", () => {
      throw new Error("no depth");
    });
    host.metrics.counter("calls_total", "Calls", { kind: ["a"] }).inc({ kind: "a" });
    assert.throws(() => host.metrics.counter("Bad Name", "", { kind: ["a"] }), /letters in lower case/);
    host.log.info({ password: "x" }, "made");
    return {};
  });
  await b.host.store.put("calls", "k", Buffer.from("v"), { ifVersion: "absent", ttlSeconds: 60 });
  assert.equal((await b.store.get("as-tried-calls", "k")).kind, "found");
  assert.equal((await b.store.get("calls", "k")).kind, "notFound");
  assert.match(await b.register.scrape(), /ims_as_tried_calls_total\{kind="a"\} 1/);
  assert.match(await b.register.scrape(), /ims_as_tried_depth NaN|ims_as_tried_depth Nan/i);
  assert.deepEqual(b.health.notes(), ["as tried: its note cannot be made"]);
  assert.deepEqual(
    b.log.lines.map(({ server, msg, password }) => [server, msg, password]),
    [["tried", "made", "[secret]"]],
  );
});

test("a request of its own leaves by its Route; what comes of it is told, and what the server throws then is kept from the process", async () => {
  const { SipMessage: Message } = await import("@ims/sip");
  const finals: number[] = [];
  const b = await benchOf(() => ({}));
  const message = Message.request("MESSAGE", "sip:bob@example.com")
    .append("From", "<sip:tried.example.com>;tag=1")
    .append("To", "<sip:bob@example.com>")
    .append("Call-ID", "own")
    .append("CSeq", "1 MESSAGE")
    .append("Route", "<sip:127.0.0.1:5054;transport=tcp;lr>");
  b.host.originate(message, {
    onFinal: ({ status }) => {
      finals.push(status);
      throw new Error("told");
    },
  });
  const [sent] = await b.left();
  assert.equal(sent?.method, "MESSAGE");
  assert.ok(sent);
  await b.answer(sent, 202);
  assert.deepEqual(finals, [202]);
  assert.equal(b.failures.length, 1);
});
