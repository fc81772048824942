const byId = (id) => document.getElementById(id);

/** What the page waits for now; the last is told. */
const texts = new Map();

/** What is waited for is told in the page's own status region, until it is over. */
export function notice() {
  const mine = {};
  const update = () => {
    const text = [...texts.values()].at(-1) ?? "";
    const region = byId("busy");
    if (region !== null && region.textContent !== text) region.textContent = text;
  };
  return {
    say(text) {
      texts.delete(mine);
      texts.set(mine, text);
      update();
    },
    end() {
      texts.delete(mine);
      update();
    },
  };
}

export function waitWords({ isBusy, ms }) {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  const what = isBusy ? "The server is busy." : "The server does not answer.";
  return `${what} The page asks again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}

/** The page does not get what it begins with and asks no more by itself: says so, and offers to try again. */
export function lastingFailure(why, again) {
  byId("loading").hidden = true;
  byId("failed").hidden = false;
  byId("failure").textContent = `The page could not be loaded. ${why}`;
  byId("again").onclick = () => {
    byId("failed").hidden = true;
    byId("loading").hidden = false;
    byId("failure").textContent = "";
    again();
  };
}
