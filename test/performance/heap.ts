/** Management ports of the nodes (`/metrics`). */
const ports: Readonly<Record<string, number>> = { bono: 9101, sprout: 9102, homestead: 9103 };
const EVERY_MS = 500;

export type HeapWatch = {
  /** MB by node: the least heap in use since the last call, close to what lives on after a collection. */
  leastMb(): Record<string, number>;
  stop(): void;
};

/** Watches the heaps of the nodes on `host` through their metrics. */
export function watchHeaps(host: string): HeapWatch {
  const least = new Map<string, number>();
  const look = async (node: string, port: number): Promise<void> => {
    const response = await fetch(`http://${host}:${port}/metrics`);
    const used = /^nodejs_heap_(?:size_)?used_bytes(?:\{[^}]*\})? (\S+)$/m.exec(await response.text())?.[1];
    if (used === undefined) return;
    const mb = Number(used) / 1e6;
    least.set(node, Math.min(mb, least.get(node) ?? mb));
  };
  const timer = setInterval(() => {
    // A node that does not answer shows in the load's failures.
    for (const [node, port] of Object.entries(ports)) look(node, port).catch(() => undefined);
  }, EVERY_MS);
  return {
    leastMb: () => {
      const taken = Object.fromEntries([...least].map(([node, mb]) => [node, Math.round(mb * 10) / 10]));
      least.clear();
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}
