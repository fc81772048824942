/** Where the cluster of one data store stands: its document, and a report by each node that uses it. */
export function clusterKeys(
  root: string,
  cluster: string,
): {
  readonly prefix: string;
  readonly document: string;
  user(name: string): string;
  readonly users: string;
} {
  const prefix = `${root}/clusters/${cluster}/`;
  const users = `${prefix}users/`;
  return { prefix, document: `${prefix}document`, users, user: (name) => users + name };
}
