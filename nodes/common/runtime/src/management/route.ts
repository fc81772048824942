/** What the management port answers beside metrics and health. */
export interface ManagementRoute {
  /** Without query. */
  readonly path: string;
  /** HEAD goes with GET. */
  readonly methods: readonly ("GET" | "PUT" | "POST")[];
  /** Only for who is admitted (resources.ts): what changes something, or shows what is not for everybody. */
  readonly restricted?: boolean;
  answer(request: ManagementRequest): ManagementAnswer | Promise<ManagementAnswer>;
}

export interface ManagementRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  /** UTF-8, 64 KiB at most. */
  readonly body: string;
}

export interface ManagementAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export function text(status: number, body: string): ManagementAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}

export function json(status: number, value: unknown): ManagementAnswer {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** Says no, in one line. */
export function refused(status: number, why: string): ManagementAnswer {
  return text(status, `${why}\n`);
}
