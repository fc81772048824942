import { done, failed, uploadImage } from "@ims/vnf";
import { Command } from "commander";
import { type CloudGiven, cloudCommand, positive, withCloud } from "./cloud-command.ts";

interface Given extends CloudGiven {
  readonly name: string;
  readonly minDisk: number;
  readonly minRam: number;
  readonly sha512?: string;
  readonly dryRun?: boolean;
}

/** `tidewater vnf image upload FILE`. */
export function imageCommand(exit: (code: number) => void): Command {
  return new Command("image").description("images in Glance").addCommand(
    cloudCommand("upload", "upload an image; does nothing when one with that name and content is there")
      .argument("<file>", "qcow2 or raw")
      .option("--name <name>", "name in Glance", "tidewater")
      .option("--min-disk <GiB>", "smallest disk it runs on", positive, 10)
      .option("--min-ram <MiB>", "least memory it runs with", positive, 2048)
      .option("--sha512 <digest>", "digest the file must have")
      .option("--dry-run", "look only")
      .action(async (file: string, given: Given) => exit(await upload(file, given))),
  );
}

function upload(file: string, given: Given): Promise<number> {
  return withCloud(given, async ({ glance, run }) => {
    if (given.sha512 !== undefined && !/^[0-9a-fA-F]{128}$/.test(given.sha512))
      return failed("--sha512: write 128 hexadecimal digits");
    if (given.dryRun === true) {
      const there = await glance.named(given.name, run.signal);
      const list = there.map(({ id, status }) => `${id} (${status})`).join(", ");
      return done(there.length === 0 ? `no image ${given.name} yet` : `${given.name}: ${list}`, false);
    }
    return uploadImage(
      glance,
      {
        file,
        name: given.name,
        minDiskGiB: given.minDisk,
        minRamMiB: given.minRam,
        ...(given.sha512 === undefined ? {} : { sha512: given.sha512 }),
      },
      run,
    );
  });
}
