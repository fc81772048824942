// One of several processes on one file: increments the counter as often as told, losing none.
import { systemClock } from "@ims/runtime";
import { sqliteStore, update } from "@ims/store";

const [path = "", times = "0"] = process.argv.slice(2);
const store = sqliteStore({ path, clock: systemClock(), busyTimeoutMs: 10_000 });
for (let i = 0; i < Number(times); i++) {
  const result = await update(
    store,
    "count",
    "n",
    (current) => ({
      kind: "put",
      value: Buffer.from(String(Number(Buffer.from(current ?? []).toString() || "0") + 1)),
      ttlSeconds: 60,
    }),
    { attempts: 10_000 },
  );
  if (result.kind !== "stored") throw new Error(result.kind);
}
store.close();
