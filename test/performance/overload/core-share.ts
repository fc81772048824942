import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Short against the delays that overload control looks at, so that what is held back is not taken for a queue. */
const PERIOD_US = 10_000;
const V1 = "/sys/fs/cgroup/cpu";
const V2 = "/sys/fs/cgroup";

/** Processes held to a share of one processor. */
export interface CoreShare {
  /** Lets go of them. */
  end(): void;
}

/**
 * Holds processes to `percent` of one processor between them, by a control group (v1 or v2): a core of little capacity, so that the same
 * load generator offers a greater multiple of it. `name` tells several such groups apart. Throws where control groups cannot be made: that takes root.
 */
export function holdTo(percent: number, pids: Iterable<number>, name = "all"): CoreShare {
  const quota = Math.round((PERIOD_US * percent) / 100);
  const v1 = existsSync(join(V1, "cpu.cfs_quota_us")) || existsSync(join(V1, "cgroup.procs"));
  const root = v1 ? V1 : V2;
  const group = join(root, `tidewater-overload-${process.pid}-${name}`);
  try {
    if (!v1 && !readFileSync(join(V2, "cgroup.subtree_control"), "utf8").split(/\s+/).includes("cpu"))
      writeFileSync(join(V2, "cgroup.subtree_control"), "+cpu");
    mkdirSync(group);
    if (v1) {
      writeFileSync(join(group, "cpu.cfs_period_us"), String(PERIOD_US));
      writeFileSync(join(group, "cpu.cfs_quota_us"), String(quota));
    } else writeFileSync(join(group, "cpu.max"), `${quota} ${PERIOD_US}`);
    for (const pid of pids) writeFileSync(join(group, "cgroup.procs"), String(pid));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `--core-share: no control group for processor time can be made (${why}): run it as root, or without`,
      { cause },
    );
  }
  return {
    end: () => {
      try {
        for (const pid of readFileSync(join(group, "cgroup.procs"), "utf8").split("\n"))
          if (pid !== "") writeFileSync(join(root, "cgroup.procs"), pid);
        rmdirSync(group);
      } catch {
        // Its processes have just ended: the group stays behind, empty, and holds nobody.
      }
    },
  };
}
