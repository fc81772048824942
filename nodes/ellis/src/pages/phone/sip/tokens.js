/** Text nobody guesses, fit for tags, branches and nonces. */
export function token(bytes = 12) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** A branch of RFC 3261 §8.1.1.7. */
export function newBranch() {
  return `z9hG4bK${token(10)}`;
}
