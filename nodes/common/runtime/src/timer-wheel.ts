/** Width of a slot: the accuracy of every timer. */
const SLOT_MS = 10;
/** 41 s a turn: the SIP timers of 64*T1 = 32 s need no second visit. A power of two, so that the slot is a mask. */
const SLOTS = 4096;
/** Longest sleep between two looks at the wheel, in slots. */
const MAX_SLEEP_SLOTS = 100;

/** A timer and at the same time its own node of the slot's ring; a slot's head is a node that never fires. */
class WheelTimer {
  previous: WheelTimer;
  next: WheelTimer;
  tick = 0;
  fn: (() => void) | undefined;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, fn: (() => void) | undefined) {
    this.previous = this;
    this.next = this;
    this.fn = fn;
    this.#wheel = wheel;
  }

  cancel(): void {
    if (this.fn === undefined) return;
    this.fn = undefined;
    unlink(this);
    this.#wheel.forget();
  }
}

export interface TimerWheelOptions {
  readonly onError: (error: unknown) => void;
}

/** A hashed wheel: slot = deadline modulo turn; timers of a later turn stay in their slot until their turn comes. */
export class TimerWheel {
  readonly #slots: WheelTimer[] = [];
  readonly #due = new WheelTimer(this, undefined);
  readonly #onError: (error: unknown) => void;
  readonly #wake = (): void => this.#turn();
  #handle: NodeJS.Timeout | undefined;
  /** Tick for which the handle is set; meaningless without a handle. */
  #wakeTick = 0;
  /** Last tick whose slot has been emptied of due timers. */
  #done = tickNow();
  #pending = 0;
  #turning = false;

  constructor(options: TimerWheelOptions) {
    this.#onError = options.onError;
    for (let i = 0; i < SLOTS; i++) this.#slots.push(new WheelTimer(this, undefined));
  }

  setTimer(ms: number, fn: () => void): WheelTimer {
    if (!Number.isFinite(ms))
      throw new RangeError(`a timer needs a finite number of milliseconds, not ${ms}`);
    const timer = new WheelTimer(this, fn);
    const deadline = performance.now() + Math.max(ms, 0);
    timer.tick = Math.max(Math.ceil(deadline / SLOT_MS), this.#done + 1);
    append(this.#slot(timer.tick), timer);
    if (++this.#pending === 1) this.#handle?.ref();
    if (!this.#turning && (this.#handle === undefined || timer.tick < this.#wakeTick))
      this.#sleepUntil(timer.tick);
    return timer;
  }

  /** A timer left the wheel without firing. Without timers the process may end. */
  forget(): void {
    if (--this.#pending === 0) this.#handle?.unref();
  }

  #slot(tick: number): WheelTimer {
    return this.#slots[tick % SLOTS] as WheelTimer;
  }

  #turn(): void {
    this.#handle = undefined;
    this.#turning = true;
    const now = tickNow();
    // After a long standstill one visit of each slot is enough.
    if (now - this.#done > SLOTS) this.#done = now - SLOTS;
    while (this.#done < now) {
      this.#done++;
      this.#collect(this.#slot(this.#done), now);
      this.#fire();
    }
    this.#turning = false;
    if (this.#pending > 0) this.#sleepUntil(this.#nextTick());
  }

  /** Moves the due timers to a ring of their own: while they fire, callbacks may cancel any of them. */
  #collect(head: WheelTimer, now: number): void {
    for (let timer = head.next; timer !== head; ) {
      const next = timer.next;
      if (timer.tick <= now) {
        unlink(timer);
        append(this.#due, timer);
      }
      timer = next;
    }
  }

  #fire(): void {
    for (let timer = this.#due.next; timer !== this.#due; timer = this.#due.next) {
      const fn = timer.fn;
      timer.fn = undefined;
      unlink(timer);
      this.#pending--;
      try {
        fn?.();
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  #nextTick(): number {
    const limit = this.#done + MAX_SLEEP_SLOTS;
    let tick = this.#done + 1;
    while (tick < limit && this.#slot(tick).next === this.#slot(tick)) tick++;
    return tick;
  }

  #sleepUntil(tick: number): void {
    if (this.#handle !== undefined) clearTimeout(this.#handle);
    const soonest = Math.min(tick, tickNow() + MAX_SLEEP_SLOTS);
    this.#wakeTick = soonest;
    this.#handle = setTimeout(this.#wake, Math.max(1, Math.ceil(soonest * SLOT_MS - performance.now())));
  }
}

export function timerWheel(options: TimerWheelOptions): TimerWheel {
  return new TimerWheel(options);
}

function tickNow(): number {
  return Math.floor(performance.now() / SLOT_MS);
}

function append(head: WheelTimer, timer: WheelTimer): void {
  timer.previous = head.previous;
  timer.next = head;
  head.previous.next = timer;
  head.previous = timer;
}

function unlink(timer: WheelTimer): void {
  timer.previous.next = timer.next;
  timer.next.previous = timer.previous;
  timer.next = timer;
  timer.previous = timer;
}
