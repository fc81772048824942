import { type AlarmList, alarmList, alarmRecord, type Clock, type Logger, type Timer } from "@ims/runtime";
import type { AskedNode } from "../operate/running-nodes.ts";
import { tidewaterProblems } from "../problems.ts";
import type { MibView } from "./agentx/mib-view.ts";
import { type MasterAddress, SubAgent } from "./agentx/sub-agent.ts";
import { type ActiveAlarm, ALARM_SUBTREES, alarmView, notificationOf } from "./alarm-mib.ts";
import { NodeAlarms } from "./node-alarms.ts";

export interface SnmpAgentOptions {
  readonly master: MasterAddress;
  readonly everyMs: number;
  /** Those that run now. */
  readonly nodes: () => readonly AskedNode[];
}

/** Brings the alarms of nodes to an SNMP master agent: as tables of RFC 3877, and as notifications when they change. */
export class SnmpAgent {
  readonly #options: SnmpAgentOptions;
  readonly #modules: { readonly clock: Clock; readonly log: Logger };
  readonly #nodes = new NodeAlarms();
  readonly #own: AlarmList = alarmList();
  readonly #agent: SubAgent;
  #known = new Map<number, ActiveAlarm>();
  #view: MibView;
  #timer: Timer | undefined;
  #stopped = false;
  #silent: readonly { readonly object: string; readonly text: string }[] = [];

  constructor(options: SnmpAgentOptions, modules: { readonly clock: Clock; readonly log: Logger }) {
    this.#options = options;
    this.#modules = modules;
    this.#view = alarmView(Object.values(tidewaterProblems), []);
    this.#own.watch(tidewaterProblems.nodeSilent, () => this.#silent);
    this.#agent = new SubAgent({
      ...modules,
      master: options.master,
      description: "Tidewater: alarms of its nodes",
      subtrees: ALARM_SUBTREES,
      view: () => this.#view,
      onState: (connected, why) => {
        if (connected) modules.log.info({}, "the master agent knows us");
        else modules.log.info({ why }, "the master agent is away; tried again");
      },
    });
  }

  async start(): Promise<void> {
    this.#agent.start();
    await this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#agent.stop();
  }

  async #look(): Promise<void> {
    const found = await this.#nodes.look(this.#options.nodes());
    if (this.#stopped) return;
    this.#silent = found.silent.map(({ node, problem }) => ({ object: node.url, text: problem }));
    const alarms = [...found.alarms, ...this.#ownAlarms()];
    this.#view = alarmView([...Object.values(tidewaterProblems), ...found.definitions], alarms);
    this.#tell(alarms, found.resent);
    this.#timer = this.#modules.clock.setTimer(this.#options.everyMs, () => void this.#look());
  }

  /** Numbers below zero are no indexes: ours are beyond what nodes will ever have. */
  #ownAlarms(): ActiveAlarm[] {
    return this.#own.active().map((alarm) => ({
      index: 2 ** 31 + alarm.alarmId,
      place: "snmp-agent",
      record: alarmRecord(alarm),
    }));
  }

  /** What is new, has another severity, or is over. */
  #tell(alarms: readonly ActiveAlarm[], resent: readonly ActiveAlarm[]): void {
    const now = new Map(alarms.map((alarm) => [alarm.index, alarm]));
    for (const [index, alarm] of this.#known)
      if (!now.has(index)) {
        const record = { ...alarm.record, perceivedSeverity: "CLEARED" as const };
        this.#agent.notify(notificationOf({ ...alarm, record }));
      }
    const again = new Set(resent.map(({ index }) => index));
    for (const [index, alarm] of now) {
      const before = this.#known.get(index)?.record.perceivedSeverity;
      if (before !== alarm.record.perceivedSeverity || again.has(index))
        this.#agent.notify(notificationOf(alarm));
    }
    this.#known = now;
  }
}
