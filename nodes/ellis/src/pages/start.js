import { lastingFailure, notice, waitWords } from "./notices.js";
import { patiently, pause, waitBefore } from "./patience.js";

/**
 * Looks after what a page is made of. A script that could not be loaded is not asked for again by browsers, in a page that goes on: they
 * remember that it failed. So the page is loaded anew, after a while and when the server serves it.
 */
const KEY = `loaded again ${location.pathname}`;
/** A style sheet is asked for again so often. */
const STYLES = 3;

let isLoading = false;

/** The page has all that it is made of. */
export function started() {
  sessionStorage.removeItem(KEY);
}

/** Something that the page is made of is missing. */
export async function loadAgain() {
  if (isLoading) return;
  isLoading = true;
  const said = notice();
  const waiting = (wait) => said.say(waitWords(wait));
  const before = Number(sessionStorage.getItem(KEY) ?? 0);
  const ms = waitBefore(before);
  if (ms !== undefined) {
    waiting({ isBusy: true, ms });
    await pause(ms);
    // An answer that is no page would be all that is seen.
    const page = await patiently(() => fetch(location.pathname), { waiting }).catch(() => undefined);
    if (page?.ok) {
      sessionStorage.setItem(KEY, String(before + 1));
      location.reload();
      return;
    }
  }
  said.end();
  isLoading = false;
  for (const main of document.querySelectorAll("main")) main.hidden = true;
  lastingFailure("The server is too busy, or cannot be reached.", () => {
    sessionStorage.removeItem(KEY);
    void loadAgain();
  });
}

const replaced = new WeakSet();
const triesOf = new Map();

/** Without it the page can be used, but is not as it should be. */
async function styleAgain(link) {
  const tries = triesOf.get(link.href) ?? 0;
  if (tries === STYLES || replaced.has(link)) return;
  replaced.add(link);
  triesOf.set(link.href, tries + 1);
  const said = notice();
  await pause(waitBefore(tries));
  await patiently(() => fetch(link.href), { waiting: (wait) => said.say(waitWords(wait)) }).catch(
    () => undefined,
  );
  said.end();
  link.replaceWith(link.cloneNode());
}

document.addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLScriptElement) void loadAgain();
    if (target instanceof HTMLLinkElement) void styleAgain(target);
  },
  true,
);
// They are loaded, or not (browsers differ: no sheet, or an empty one), before a script of the page runs.
for (const link of document.querySelectorAll("link[rel=stylesheet]"))
  if ((link.sheet?.cssRules.length ?? 0) === 0) void styleAgain(link);
