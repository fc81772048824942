const KEY = "phone-instance";

/**
 * The instance of this tab (RFC 5626 §4.1): the same after a reload, so that its registration takes the place of the one before; another one in a
 * copy of the tab, which has our memory too.
 */
export async function instanceOfTab() {
  const kept = sessionStorage.getItem(KEY);
  if (kept !== null && (await isFree(kept))) return kept;
  const made = newUuid();
  sessionStorage.setItem(KEY, made);
  await isFree(made);
  return made;
}

/** Takes a name for as long as the page is there. */
function isFree(name) {
  if (navigator.locks === undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks
      .request(`${KEY} ${name}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {});
      })
      .catch(() => resolve(true));
  });
}

/** RFC 9562 §5.4; crypto.randomUUID() is there in secure contexts only. */
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
