/** Asks again and again while the page is looked at; gives what ends that. `work` may fail: it is tried again later. */
export function poll(work, everyMs, say) {
  let timer;
  let ended = false;
  let failed = false;
  async function turn() {
    let wait = everyMs;
    if (!document.hidden) {
      try {
        await work();
        if (failed && !ended) say("");
        failed = false;
      } catch (error) {
        if (!ended) say(error.message, true);
        failed = true;
        wait = everyMs * 3;
      }
    }
    if (!ended) timer = setTimeout(turn, wait);
  }
  void turn();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
