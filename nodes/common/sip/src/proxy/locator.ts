import type { Uri } from "../message/uri.ts";
import type { Via } from "../message/via.ts";
import type { Target } from "../transport/transport.ts";

/** Addresses of a URI in the order to try: RFC 3263. Empty when there are none. */
export interface Locator {
  locate(uri: Uri): readonly Target[] | Promise<readonly Target[]>;
  /** Where a response goes whose connection is gone: RFC 3263 §5. Default: to the address in the Via. */
  locateVia?(via: Via): readonly Target[] | Promise<readonly Target[]>;
  /** A target outside the trust domain did not answer. */
  failed?(target: Target): void;
}
