import { ManagementError, ProvisioningError, StaffError } from "@ims/api";

/** One line for whoever sits at the terminal: what was refused, what could not be reached or read. */
export function explain(error: unknown): string {
  if (error instanceof ProvisioningError) return explainProvisioning(error);
  if (error instanceof ManagementError) return explainManagement(error);
  if (error instanceof StaffError) return explainStaff(error);
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  return path === undefined ? reasonOf(error) : `${path}: ${reasonOf(error)}`;
}

/** "no such file or directory" of "ENOENT: no such file or directory, open 'x'". */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: (.+?), \w+/.exec(message)?.[1] ?? message;
}

function explainProvisioning({ detail }: ProvisioningError): string {
  switch (detail.code) {
    case "PROVISIONING_UNREACHABLE":
      return `nothing answers at ${detail.url}: is homestead running (npm start)?`;
    case "PROVISIONING_ANSWER":
      return `what answers at ${detail.url} is not the provisioning API of homestead`;
    case "PROVISIONING_REFUSED":
      return detail.detail === ""
        ? `refused: ${detail.title} (${detail.status})`
        : `refused: ${detail.title}: ${detail.detail}`;
  }
}

function explainManagement({ detail }: ManagementError): string {
  switch (detail.code) {
    case "MANAGEMENT_UNREACHABLE":
      return `nothing answers at ${detail.url}: is sprout running (npm start)?`;
    case "MANAGEMENT_ANSWER":
      return `what answers at ${detail.url} is not the management port of a sprout of this release`;
    case "MANAGEMENT_REFUSED":
      return `refused (${detail.status}): ${detail.detail}`;
  }
}

function explainStaff({ detail }: StaffError): string {
  switch (detail.code) {
    case "STAFF_UNREACHABLE":
      return `nothing answers at ${detail.url}: is ellis running (tidewater up --ellis)?`;
    case "STAFF_ANSWER":
      return `what answers at ${detail.url} is not an ellis of this release`;
    case "STAFF_REFUSED":
      return detail.status === 403
        ? `refused: ${detail.reason}; is the key that of this ellis (--state-dir, --api-key-file)?`
        : `refused: ${detail.reason}`;
  }
}
