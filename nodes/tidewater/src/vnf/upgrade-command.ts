import { done, failed, volumeOf } from "@ims/vnf";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { type CloudGiven, cloudCommand, withCloud } from "./cloud-command.ts";
import { readToken } from "./deployment-options.ts";
import { checkName } from "./vnf-name.ts";

interface Given extends CloudGiven {
  readonly image: string;
  readonly pause: number;
  readonly dryRun?: boolean;
  readonly joinTokenFile?: string;
  readonly emptyStores?: boolean;
}

/** `tidewater vnf upgrade`: another image, one member of each pool after the other. */
export function upgradeCommand(exit: (code: number) => void): Command {
  return cloudCommand(
    "upgrade",
    "rebuild the members with another image, one of a pool at a time; they keep server, ports, addresses and cell (with another join token not their server)",
    240,
  )
    .argument("<name>", "name of the VNF", checkName)
    .requiredOption("--image <image>", "name or id in Glance")
    .option("--pause <seconds>", "between two members: longer than one takes to be ready again", seconds, 300)
    .option("--join-token-file <file>", "file with the one-time token for the rebuilt members")
    .option(
      "--empty-stores",
      "go on although the vellums have no data volumes: what they store is gone with their disks",
    )
    .option("--dry-run", "check only")
    .action(async (name: string, given: Given) => exit(await upgrade(name, given)));
}

function seconds(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= 3_600) return Number(text);
  throw new InvalidArgumentError("write 0 to 3600");
}

function upgrade(name: string, given: Given): Promise<number> {
  return withCloud(given, async ({ driver, glance, run }) => {
    const instance = await driver.find(name, run.signal);
    if (instance === undefined) return failed(`there is no ${name}`);
    const named = await glance.named(given.image, run.signal);
    const one = named.length === 0 ? await glance.image(given.image, run.signal) : named[0];
    if (one === undefined || named.length > 1)
      return failed(
        one === undefined
          ? `there is no image ${given.image}`
          : `${named.length} images are called ${given.image}`,
        [],
        [one === undefined ? "tidewater vnf image upload" : "give the id of one"],
      );
    if (one.status !== "active") return failed(`image ${given.image} is ${one.status}, not active`);
    const members = await driver.members(instance, run.signal);
    const old = members.filter(({ image }) => image !== one.id);
    if (old.length === 0 && instance.state === "ready")
      return done(`all ${members.length} members run ${given.image} already`, false);
    const volume = volumeOf(instance.parameters);
    const stores = members.some(({ pool }) => pool === "vellum");
    // Each gets a new disk, and Heat does not wait until it has back from the others what it stored before the next goes.
    if (stores && volume === 0 && given.emptyStores !== true)
      return failed(
        "the vellums have no data volumes (vellum_volume is 0): rebuilt one after the other they may lose subscribers, registrations, keys and configuration",
        [],
        [
          "tidewater backup and etcd-admin backup, then the same command with --empty-stores, then restore",
          "or make the VNF anew with -e data-volumes",
        ],
      );
    const token = given.joinTokenFile === undefined ? undefined : readToken(given.joinTokenFile);
    if (token?.kind === "bad") return failed(token.problem);
    // Another token is other user data, so another server, which Heat makes while the old one has the volume still.
    if (stores && token !== undefined && volume !== 0)
      return failed(
        "members with data volumes are rebuilt in place, with the token that they have: another one would make their servers anew, and Heat does not move the volumes",
        [],
        [
          "sudo etcd-admin reopen on a vellum makes their token good again; then the same command without --join-token-file",
        ],
      );
    if (given.dryRun === true) return done(`would rebuild ${old.length} of ${members.length} members`, false);
    const largest = Math.max(...instance.pools.map(({ size }) => size));
    if (given.pause * largest > given.timeout * 60)
      return failed(
        `${largest} members with ${given.pause} s between them take longer than ${given.timeout} minutes`,
        [],
        ["give a longer --timeout or a shorter --pause"],
      );
    run.progress(`${old.length} of ${members.length} members have another image`);
    const before = instance.parameters.get("image") ?? "";
    const outcome = await driver.upgrade(
      instance,
      {
        image: given.image,
        pauseSeconds: given.pause,
        ...(token === undefined ? {} : { joinToken: token.token }),
      },
      run,
    );
    if (outcome.kind === "failed")
      return {
        ...outcome,
        next: [...outcome.next, `tidewater vnf upgrade ${name} --image ${before} goes back`],
      };
    const left = (await driver.members(instance, run.signal)).filter(({ image }) => image !== one.id);
    if (left.length > 0)
      return failed(
        `${left.map((member) => member.name).join(", ")} did not get the image`,
        [],
        outcome.kind === "done" ? ["the same command again"] : [],
      );
    return outcome;
  });
}
