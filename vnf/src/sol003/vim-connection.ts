import type { Cloud, NamedOrId } from "../openstack/cloud.ts";

export type VimConnection =
  | { readonly kind: "vim"; readonly vim: Readonly<Record<string, unknown>> }
  | { readonly kind: "bad"; readonly problem: string };

/** The cloud as a VNF manager is told of it (VimConnectionInfo, SOL 003 clause 4.4.1.6). It has a secret in it: never print it. */
export function vimConnection({ authUrl, credentials, region }: Cloud): VimConnection {
  if (
    credentials.kind !== "password" ||
    credentials.scope.kind !== "project" ||
    !("name" in credentials.scope)
  )
    return {
      kind: "bad",
      problem:
        "a VNF manager logs in with user name, password and project name: give those in clouds.yaml or OS_* variables",
    };
  const { user, password, scope } = credentials;
  return {
    kind: "vim",
    vim: {
      vimType: "ETSINFV.OPENSTACK_KEYSTONE.V_3",
      interfaceInfo: { endpoint: authUrl },
      accessInfo: {
        username: user.name ?? "",
        password,
        region,
        project: scope.name,
        userDomain: nameOf(user.domain),
        projectDomain: nameOf(scope.domain),
      },
    },
  };
}

function nameOf(domain: NamedOrId | undefined): string {
  return domain === undefined ? "Default" : "name" in domain ? domain.name : domain.id;
}
