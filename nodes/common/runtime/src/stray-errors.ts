import { pathToFileURL } from "node:url";

/** Errors that nobody has caught, and who answers for them: code of others in this process must not end it. */
export interface StrayErrors {
  /** What is thrown by code below `folder` goes to `take` from now on, and the process goes on. */
  claim(folder: string, take: (error: unknown) => void): void;
  /** True: somebody has taken it. */
  taken(error: unknown): boolean;
}

/** Tells by the stack: what is no Error with one, or was thrown by nobody's code, is nobody's. */
export function strayErrors(): StrayErrors {
  const claims: { readonly places: readonly string[]; readonly take: (error: unknown) => void }[] = [];
  return {
    claim(folder, take) {
      // Below such a folder our own code, also as one file of a bundle, would count as theirs.
      if (`${import.meta.dirname}/`.startsWith(`${folder}/`)) return;
      claims.push({ places: [`(${folder}/`, ` ${folder}/`, `${pathToFileURL(folder).href}/`], take });
    },
    taken(error) {
      const stack = error instanceof Error ? (error.stack ?? "") : "";
      const claim = claims.find(({ places }) => places.some((place) => stack.includes(place)));
      claim?.take(error);
      return claim !== undefined;
    },
  };
}
