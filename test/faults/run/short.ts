/** What fits into three minutes: one kill of each kind of node, and of one memcached, while calls are being set up. */
export const SHORT = {
  cells: "kill/sprout/after-180,kill/homestead/register,kill/memcached/reregister,kill/bono/in-call",
  rounds: 1,
} as const;
