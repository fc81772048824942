import assert from "node:assert/strict";
import { test } from "node:test";
import { type Alarm, alarmList, createHealth, type Problem, type Trouble } from "@ims/runtime";

const peerLost: Problem = {
  id: "TW-9901",
  name: "peer-lost",
  kind: "alarm",
  type: "COMMUNICATIONS_ALARM",
  probableCause: "communicationsSubsystemFailure",
  severity: "MAJOR",
  summary: "A peer is lost",
  cause: "It went away.",
  effect: "Nobody answers.",
  action: "Look for it.",
};

function listOf(options: { maxActive?: number; maxCleared?: number } = {}): {
  alarms: ReturnType<typeof alarmList>;
  told: string[];
  pass: (ms: number) => void;
} {
  let now = 1_000;
  const alarms = alarmList({ now: () => now, ...options });
  const told: string[] = [];
  alarms.onChange((change, { objectInstance, perceivedSeverity }) =>
    told.push(`${change} ${objectInstance} ${perceivedSeverity}`),
  );
  const pass = (ms: number): void => {
    now += ms;
  };
  return { alarms, told, pass };
}

const shown = ({ alarmId, objectInstance, perceivedSeverity, additionalText }: Alarm): unknown => [
  alarmId,
  objectInstance,
  perceivedSeverity,
  additionalText,
];

test("TS 28.532: an alarm is raised once for an object, keeps its id while it changes, and is cleared", () => {
  const { alarms, told, pass } = listOf();
  alarms.raise(peerLost, { object: "hss-1", text: "no answer" });
  alarms.raise(peerLost, { object: "hss-1", text: "no answer" });
  alarms.raise(peerLost, { object: "hss-2", text: "refused" });
  pass(500);
  alarms.raise(peerLost, { object: "hss-1", severity: "CRITICAL", text: "no answer, 3 wait" });
  assert.deepEqual(alarms.active().map(shown), [
    [1, "hss-1", "CRITICAL", "no answer, 3 wait"],
    [2, "hss-2", "MAJOR", "refused"],
  ]);
  assert.deepEqual(
    alarms.active().map(({ alarmRaisedTime, alarmChangedTime }) => [alarmRaisedTime, alarmChangedTime]),
    [
      [1_000, 1_500],
      [1_000, undefined],
    ],
  );
  pass(500);
  alarms.clear(peerLost, "hss-1");
  alarms.clear(peerLost, "hss-1");
  assert.deepEqual(alarms.active().map(shown), [[2, "hss-2", "MAJOR", "refused"]]);
  assert.deepEqual(
    alarms.cleared().map(({ alarmId, alarmClearedTime }) => [alarmId, alarmClearedTime]),
    [[1, 2_000]],
  );
  assert.deepEqual(told, [
    "raised hss-1 MAJOR",
    "raised hss-2 MAJOR",
    "changed hss-1 CRITICAL",
    "cleared hss-1 CRITICAL",
  ]);
});

test("a text that changes all the time is kept up to date and is no news", () => {
  const { alarms, told } = listOf();
  for (let waiting = 1; waiting <= 5; waiting++) alarms.raise(peerLost, { text: `${waiting} wait` });
  assert.deepEqual(alarms.active().map(shown), [[1, "", "MAJOR", "5 wait"]]);
  assert.deepEqual(told, ["raised  MAJOR"]);
});

test("a condition that is watched raises and clears by object, and takes its alarms along when it ends", () => {
  const { alarms, told } = listOf();
  let wrong: Trouble[] = [];
  const end = alarms.watch(peerLost, () => wrong);
  assert.deepEqual(alarms.active(), []);
  wrong = [
    { object: "a", text: "away" },
    { object: "b", severity: "MINOR", text: "away" },
  ];
  alarms.look();
  wrong = [{ object: "b", severity: "MINOR", text: "away" }];
  alarms.look();
  end();
  end();
  alarms.look();
  assert.deepEqual(told, ["raised a MAJOR", "raised b MINOR", "cleared a MAJOR", "cleared b MINOR"]);
});

test("a condition that throws is an alarm of indeterminate severity, and the others are looked at", () => {
  const { alarms } = listOf();
  alarms.watch(peerLost, () => {
    throw new Error("broken");
  });
  alarms.watch({ ...peerLost, id: "TW-9902" }, () => "away");
  assert.deepEqual(alarms.active().map(shown), [
    [1, "", "INDETERMINATE", "whether it is so cannot be told: broken"],
    [2, "", "MAJOR", "away"],
  ]);
});

test("resending tells of every active alarm again, of what is over no more", () => {
  const { alarms, told } = listOf();
  alarms.raise(peerLost, { object: "a", text: "away" });
  alarms.raise(peerLost, { object: "b", text: "away" });
  alarms.clear(peerLost, "a");
  told.length = 0;
  assert.equal(alarms.resend(), 1);
  assert.deepEqual(told, ["resent b MAJOR"]);
});

test("the list is bounded: alarms beyond are counted, texts are one line of bounded length", () => {
  const { alarms } = listOf({ maxActive: 2, maxCleared: 1 });
  for (const object of ["a", "b", "c"])
    alarms.raise(peerLost, { object, text: `x\r\n\u001b[31m${"y".repeat(9_999)}` });
  assert.equal(alarms.active().length, 2);
  assert.equal(alarms.dropped, 1);
  assert.match(alarms.active()[0]?.additionalText ?? "", /^x \[31my{400,}…$/);
  for (const object of ["a", "b"]) alarms.clear(peerLost, object);
  assert.deepEqual(
    alarms.cleared().map(({ objectInstance }) => objectInstance),
    ["b"],
  );
});

test("names of objects are only names", () => {
  const { alarms } = listOf();
  alarms.raise(peerLost, { object: "__proto__", text: "away" });
  alarms.clear(peerLost, "constructor");
  assert.deepEqual(alarms.active().map(shown), [[1, "__proto__", "MAJOR", "away"]]);
});

test("a check or a note of the health that has a problem is an alarm while it says something", () => {
  const health = createHealth();
  let away: string | undefined = "no peer";
  const end = health.addCheck("hss", () => away, peerLost);
  health.addNote("plain", () => "no alarm");
  assert.deepEqual(health.alarms.active().map(shown), [[1, "", "MAJOR", "no peer"]]);
  away = undefined;
  assert.deepEqual(health.alarms.active(), []);
  away = "again";
  assert.equal(health.alarms.active().length, 1);
  end();
  assert.deepEqual(health.alarms.active(), []);
});
