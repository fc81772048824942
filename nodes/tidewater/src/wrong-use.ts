/** The command line asks for what cannot be asked so: exit code 2. The message is for whoever sits at the terminal. */
export class WrongUseError extends Error {
  override readonly name = "WrongUseError";
}
