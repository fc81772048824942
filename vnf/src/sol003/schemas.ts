import { z } from "zod";

const problem = z.object({
  title: z.string().optional(),
  status: z.number().optional(),
  detail: z.string().optional(),
});

/** VnfPkgInfo (SOL 003 clause 10.5.2.2), as far as it is used. */
export const vnfPackage = z.object({
  id: z.string(),
  vnfdId: z.string().nullish(),
  vnfProductName: z.string().nullish(),
  onboardingState: z.enum(["CREATED", "UPLOADING", "PROCESSING", "ONBOARDED", "ERROR"]),
  operationalState: z.enum(["ENABLED", "DISABLED"]),
  usageState: z.string().optional(),
  onboardingFailureDetails: problem.nullish(),
});
export type VnfPackage = z.output<typeof vnfPackage>;

/** VnfInstance (SOL 003 clause 5.5.2.2), as far as it is used. */
export const vnfInstance = z.object({
  id: z.string(),
  vnfInstanceName: z.string().nullish(),
  vnfdId: z.string(),
  instantiationState: z.enum(["NOT_INSTANTIATED", "INSTANTIATED"]),
  instantiatedVnfInfo: z
    .object({
      flavourId: z.string().optional(),
      vnfState: z.string().optional(),
      scaleStatus: z.array(z.object({ aspectId: z.string(), scaleLevel: z.number() })).default([]),
      maxScaleLevels: z.array(z.object({ aspectId: z.string(), scaleLevel: z.number() })).default([]),
      vnfcInfo: z
        .array(z.object({ id: z.string(), vduId: z.string(), vnfcResourceInfoId: z.string().optional() }))
        .default([]),
      vnfcResourceInfo: z
        .array(
          z.object({
            id: z.string(),
            vduId: z.string(),
            computeResource: z.object({ resourceId: z.string().nullish() }),
          }),
        )
        .default([]),
    })
    .nullish(),
});
export type Sol003Instance = z.output<typeof vnfInstance>;

export const OPERATION_STATES = [
  "STARTING",
  "PROCESSING",
  "COMPLETED",
  "FAILED_TEMP",
  "FAILED",
  "ROLLING_BACK",
  "ROLLED_BACK",
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** VnfLcmOpOcc (SOL 003 clause 5.5.2.13), as far as it is used. */
export const operationOccurrence = z.object({
  id: z.string(),
  operationState: z.enum(OPERATION_STATES),
  operation: z.string(),
  vnfInstanceId: z.string(),
  startTime: z.string().optional(),
  error: problem.nullish(),
});
export type OperationOccurrence = z.output<typeof operationOccurrence>;

/** Operations that change an instance. */
export type Lcm =
  | {
      readonly task: "instantiate";
      readonly body: {
        readonly flavourId: string;
        readonly instantiationLevelId?: string;
        readonly vimConnectionInfo?: Readonly<Record<string, unknown>>;
        readonly additionalParams?: Readonly<Record<string, unknown>>;
      };
    }
  | {
      readonly task: "scale";
      readonly body: {
        readonly type: "SCALE_OUT" | "SCALE_IN";
        readonly aspectId: string;
        readonly numberOfSteps: number;
        readonly additionalParams?: Readonly<Record<string, unknown>>;
      };
    }
  | {
      readonly task: "heal";
      readonly body: {
        readonly cause: string;
        readonly vnfcInstanceId?: readonly string[];
        readonly additionalParams?: Readonly<Record<string, unknown>>;
      };
    }
  | {
      readonly task: "terminate";
      readonly body: {
        readonly terminationType: "FORCEFUL" | "GRACEFUL";
        readonly gracefulTerminationTimeout?: number;
      };
    };
