import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricsRegister } from "./register.ts";

/** Sampling interval of the loop-delay monitor: a stall shorter than this may go unseen. */
const RESOLUTION_MS = 20;

/** CPU, memory, uptime and loop delay of this process. Returns what stops the measuring. */
export function registerProcessMetrics(register: MetricsRegister): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const gauge = (name: string, help: string, value: () => number): void =>
    register.gauge({ name, help, value });

  cpuCounter(register, "process_cpu_user_seconds_total", "User CPU time", () => process.cpuUsage().user);
  cpuCounter(
    register,
    "process_cpu_system_seconds_total",
    "System CPU time",
    () => process.cpuUsage().system,
  );
  gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  gauge("nodejs_heap_used_bytes", "Live and garbage bytes in the heap", () => process.memoryUsage().heapUsed);
  gauge("nodejs_heap_total_bytes", "Bytes reserved for the heap", () => process.memoryUsage().heapTotal);
  gauge("nodejs_external_bytes", "Bytes held outside of the heap", () => process.memoryUsage().external);
  // Asked anew it would differ by a little each time, and look like a restart.
  const started = (Date.now() - process.uptime() * 1000) / 1000;
  gauge("process_start_time_seconds", "Start of the process, epoch", () => started);
  gauge("nodejs_eventloop_delay_p50_seconds", "Event-loop delay, median", () =>
    beyondInterval(delay.percentile(50)),
  );
  gauge("nodejs_eventloop_delay_p99_seconds", "Event-loop delay, 99th percentile", () =>
    beyondInterval(delay.percentile(99)),
  );
  gauge("nodejs_eventloop_delay_max_seconds", "Longest event-loop delay since the last scrape", () => {
    const longest = beyondInterval(delay.max);
    delay.reset(); // the last of the three to be asked: the registry keeps order
    return longest;
  });
  return () => delay.disable();
}

/** The monitor counts its own sampling interval in, nanoseconds. */
function beyondInterval(nanoseconds: number): number {
  const seconds = nanoseconds / 1e9 - RESOLUTION_MS / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

function cpuCounter(register: MetricsRegister, name: string, help: string, microseconds: () => number): void {
  register.gauge({ name, help, type: "counter", value: () => microseconds() / 1e6 });
}
