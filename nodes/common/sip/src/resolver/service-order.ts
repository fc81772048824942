/** SRV resource record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** "." when the service is decidedly not there. */
  readonly target: string;
}

/**
 * SRV records in the order to try: by priority, among equals drawn by weight (RFC 2782, "Weight"). `random` gives
 * numbers from 0 up to but not including 1.
 */
export function orderServices(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const byPriority = new Map<number, SrvRecord[]>();
  for (const record of records) {
    const group = byPriority.get(record.priority);
    if (group === undefined) byPriority.set(record.priority, [record]);
    else group.push(record);
  }
  const priorities = [...byPriority.keys()].sort((a, b) => a - b);
  return priorities.flatMap((priority) => drawByWeight(byPriority.get(priority) ?? [], random));
}

/**
 * Place of each of these ordered records among their priorities, 0 the first. Records of one priority and one weight are
 * equals; where weights differ the draw has decided.
 */
export function rankServices(ordered: readonly SrvRecord[]): number[] {
  let rank = -1;
  let before: SrvRecord | undefined;
  const mixed = new Set<number>();
  const weights = new Map<number, number>();
  for (const { priority, weight } of ordered) {
    if ((weights.get(priority) ?? weight) !== weight) mixed.add(priority);
    weights.set(priority, weight);
  }
  return ordered.map((record) => {
    if (before === undefined || before.priority !== record.priority || mixed.has(record.priority)) rank++;
    before = record;
    return rank;
  });
}

function drawByWeight(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  // Those of weight 0 stand first, so that they are drawn only when the number drawn is 0.
  const left = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const drawn: SrvRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const mark = Math.floor(random() * (total + 1));
    let sum = 0;
    const index = left.findIndex(({ weight }) => {
      sum += weight;
      return sum >= mark;
    });
    drawn.push(...left.splice(Math.max(index, 0), 1));
  }
  return drawn;
}
