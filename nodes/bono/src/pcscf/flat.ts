/** A copy that does not keep the message it was cut from alive. */
export function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
