import type { Problems } from "@ims/runtime";

/** What may go wrong as the tools of an operator see it: TW-9000 to TW-9099. */
export const tidewaterProblems = {
  nodeSilent: {
    id: "TW-9001",
    name: "node-silent",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "CRITICAL",
    summary: "A node does not answer at its management port",
    cause: "The process hangs or has ended, or its management port cannot be reached from here.",
    effect: "Whether it serves is not known here; its alarms stay as they were.",
    action: "Look whether the process runs, and at its last log lines; restart it when it hangs.",
  },
  workerDown: {
    id: "TW-9002",
    name: "worker-down",
    kind: "alarm",
    type: "PROCESSING_ERROR_ALARM",
    probableCause: "softwareProgramAbnormallyTerminated",
    severity: "MAJOR",
    summary: "One of the workers of a node does not run",
    cause:
      "Its process has ended and is being started again, or cannot be started; the lines before say why.",
    effect:
      "UEs on connections connect again and reach the other workers; what UEs on UDP send waits until it runs again, up to the size of its socket's buffer.",
    action:
      "None when it comes back by itself. When it ends again and again: gather diagnostics, report the last lines of its log.",
  },
} as const satisfies Problems;
