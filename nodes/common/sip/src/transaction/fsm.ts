/** One cell of a transaction table: the next state and what to do, in order. */
export interface Step<State extends string, Action extends string> {
  readonly next: State;
  readonly actions: readonly Action[];
}

/** State → input → step; an input missing from a row is ignored. */
export type Table<State extends string, Input extends string, Action extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, Step<State, Action>>>>>
>;

export function step<State extends string, Action extends string>(
  next: State,
  ...actions: Action[]
): Step<State, Action> {
  return { next, actions };
}
