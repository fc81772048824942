import { ask, ONCE } from "../../api.js";

/** Credentials are asked for again when they are older than that. */
const GOOD_MS = 600_000;

/** A function that gives the ICE servers of ellis; none when there is no TURN server. */
export function relaysOf(hasTurn) {
  let list = [];
  let until = 0;
  return async () => {
    if (!hasTurn || Date.now() < until) return list;
    try {
      // A call waits for it.
      const answer = await ask("GET", "/turn-credentials", undefined, ONCE);
      const { username, password: credential, uris: urls } = answer;
      list = [{ urls, username, credential }];
      until = Date.now() + GOOD_MS;
    } catch {
      // Those that we had may be good for a while.
    }
    return list;
  };
}
