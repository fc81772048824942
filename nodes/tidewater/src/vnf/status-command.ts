import {
  auditPlacement,
  failed,
  OpenStackError,
  type PlacementAudit,
  type PoolPlacement,
  type VnfInstance,
  type VnfMember,
} from "@ims/vnf";
import { Command } from "commander";
import { type CloudGiven, cloudCommand, positive, withCloud, withVia } from "./cloud-command.ts";
import { checkName } from "./vnf-name.ts";

interface AuditGiven extends CloudGiven {
  readonly every?: number;
  readonly for?: number;
}

/** `tidewater vnf status`: exit code 0 when all members are ready and the placement is kept. */
export function statusCommand(exit: (code: number) => void): Command {
  return withVia(cloudCommand("status", "pools and members of a VNF, and where they are"))
    .argument("<name>", "name of the VNF", checkName)
    .action(async (name: string, given: CloudGiven) => exit(await status(name, given)));
}

/** `tidewater vnf placement audit`: exit code 1 when a host has more than it may. */
export function placementCommand(exit: (code: number) => void): Command {
  return new Command("placement").description("where the members of the pools are").addCommand(
    withVia(
      cloudCommand(
        "audit",
        "share of every pool on each host, by hostId, for which no administrator is needed; exit code 1 when a host has more than it may",
      ),
    )
      .argument("<name>", "name of the VNF", checkName)
      .option("--every <seconds>", "again and again, until Ctrl-C or --for; prints changes", positive)
      .option("--for <seconds>", "how long", positive)
      .action(async (name: string, given: AuditGiven) => exit(await audit(name, given))),
  );
}

function status(name: string, given: CloudGiven): Promise<number> {
  return withCloud(given, async ({ driver, run }) => {
    const instance = await driver.find(name, run.signal);
    if (instance === undefined) return failed(`there is no ${name}`);
    const members = await driver.members(instance, run.signal);
    const placement = auditPlacement(instance, members);
    const healthy =
      instance.state === "ready" &&
      placement.kept &&
      members.every(({ state, serverStatus }) => state === "ready" && serverStatus === "ACTIVE");
    if (given.json === true) {
      const { parameters: _, ...shown } = instance;
      console.log(JSON.stringify({ ...shown, healthy, members, placement }, undefined, 2));
    } else {
      console.log(`${name}: ${instance.status}${healthy ? "" : ` ${instance.reason}`}`);
      for (const pool of placement.pools) {
        console.log(lineOf(pool, instance));
        for (const member of members) if (member.pool === pool.pool) console.log(`  ${memberLine(member)}`);
      }
    }
    return healthy ? 0 : 1;
  });
}

function audit(name: string, given: AuditGiven): Promise<number> {
  return withCloud(given, async ({ driver, run }) => {
    const until = given.for === undefined ? Number.POSITIVE_INFINITY : run.pace.now() + given.for * 1_000;
    let kept = true;
    let told = "";
    let samples = 0;
    const worst = new Map<string, number>();
    let found: VnfInstance | undefined;
    const sample = async (): Promise<"looked" | "gone"> => {
      if (samples % 10 === 0) found = await driver.find(name, run.signal);
      const instance = found;
      if (instance === undefined) return "gone";
      const placement = auditPlacement(instance, await driver.whereabouts(instance, run.pace, run.signal));
      samples++;
      kept &&= placement.kept;
      for (const { pool, most, members } of placement.pools)
        if (members > 0) worst.set(pool, Math.max(worst.get(pool) ?? 0, most / members));
      const text = given.json === true ? JSON.stringify(placement) : placementText(placement, instance);
      if (text !== told) console.log(text);
      told = text;
      return "looked";
    };
    for (;;) {
      try {
        if ((await sample()) === "gone") {
          if (samples === 0) return failed(`there is no ${name}`);
          break;
        }
        if (given.every === undefined || run.pace.now() >= until) break;
        await run.pace.sleep(given.every * 1_000, run.signal);
      } catch (error) {
        if (run.signal?.aborted === true && samples > 0) break;
        // Who watches goes on watching a cloud that stumbles.
        if (given.every === undefined || !(error instanceof OpenStackError)) throw error;
        run.progress(error.message);
        if (samples === 0 || run.pace.now() >= until) throw error;
      }
    }
    if (given.every !== undefined) {
      const shares = [...worst].map(([pool, share]) => `${pool} ${share.toFixed(3)}`).join(", ");
      process.stderr.write(
        `${samples} samples, ${kept ? "kept in all" : "VIOLATED"}; greatest shares: ${shares}\n`,
      );
    }
    return kept ? 0 : 1;
  });
}

function placementText({ pools, mixed }: PlacementAudit, instance: VnfInstance): string {
  const crossings = mixed.map(
    ({ hostId, members }) => `host ${hostId.slice(0, 12)} is of two zones: ${members.join(", ")}`,
  );
  return [...pools.map((pool) => lineOf(pool, instance)), ...crossings].join("\n");
}

function lineOf(placement: PoolPlacement, { pools }: VnfInstance): string {
  const { pool, members, hosts, most, cap, share, verdict, crowded, absent } = placement;
  const size = pools.find((one) => one.pool === pool)?.size ?? members;
  const crowd = crowded.map((one) => ` ${one.hostId.slice(0, 12)}: ${one.members.join(", ")}`).join(";");
  return `${pool}: ${members} of ${size} members on ${hosts} hosts, ${most} on one at most, ${cap} allowed at ${share}: ${verdict}${crowd}${absent.length === 0 ? "" : `; without a host: ${absent.join(", ")}`}`;
}

function memberLine({
  name,
  state,
  serverStatus,
  hostId,
  hostStatus,
  zone,
  addresses,
  reason,
}: VnfMember): string {
  const host = hostId === undefined ? "-" : hostId.slice(0, 12);
  const trouble = state === "failed" ? ` ${reason}` : hostStatus === "DOWN" ? " its host is down" : "";
  return `${name.padEnd(13)} ${state.padEnd(6)} ${(serverStatus ?? "-").padEnd(8)} ${host.padEnd(12)} ${(zone ?? "-").padEnd(8)} ${addresses.join(" ")}${trouble}`.trimEnd();
}
