const PAGE_OCTETS = 262_144;
const LEAST_SLOT = 32;
/** Slots of a page, at most: a place is page times this plus slot. */
const SLOTS = PAGE_OCTETS / LEAST_SLOT;
/** Empty pages kept for whatever comes next; others are given back. */
const MOST_SPARE = 16;
const NONE = -1;
/** In front of each free slot: the next one. */
const NO_SLOT = 0xffff;

interface Page {
  readonly number: number;
  readonly octets: Buffer;
  readonly slotSize: number;
  /** Slots that were ever used. */
  begun: number;
  live: number;
  firstFree: number;
  /** Where it stands in the list of its size; NONE: all its slots are in use. */
  listed: number;
}

/**
 * Room for many small values outside of the heap, where no collection of garbage has to look at them: pages of 256 KiB, each of slots of one
 * size, with four sizes to every power of two. An empty page may serve another size.
 */
export class OctetSlabs {
  readonly #pages: (Page | undefined)[] = [];
  /** Numbers of pages that were given back. */
  readonly #gone: number[] = [];
  readonly #spare: Buffer[] = [];
  /** By size of slot: pages with a free slot. */
  readonly #open = new Map<number, Page[]>();

  /** A place for so many octets, until its release. */
  take(size: number): number {
    const slotSize = slotSizeOf(size);
    const open = this.#openOf(slotSize);
    const page = open.at(-1) ?? this.#begin(slotSize, open);
    let slot = page.firstFree;
    if (slot === NO_SLOT) slot = page.begun++;
    else page.firstFree = page.octets.readUInt16LE(slot * slotSize);
    page.live++;
    if (page.firstFree === NO_SLOT && (page.begun + 1) * slotSize > page.octets.length) unlist(page, open);
    return page.number * SLOTS + slot;
  }

  release(place: number): void {
    const page = this.#pageOf(place);
    const { slotSize } = page;
    const slot = place % SLOTS;
    const open = this.#openOf(slotSize);
    page.octets.writeUInt16LE(page.firstFree, slot * slotSize);
    page.firstFree = slot;
    page.live--;
    if (page.live === 0) {
      if (page.listed !== NONE) unlist(page, open);
      this.#end(page);
    } else if (page.listed === NONE) list(page, open);
  }

  /** Is there room for so many octets at this place, and not much too much? */
  fits(place: number, size: number): boolean {
    return this.#pageOf(place).slotSize === slotSizeOf(size);
  }

  /** The page of a place; what is there begins at `startOf(place)`. */
  octetsOf(place: number): Buffer {
    return this.#pageOf(place).octets;
  }

  startOf(place: number): number {
    return (place % SLOTS) * this.#pageOf(place).slotSize;
  }

  /** Octets of all pages. */
  get size(): number {
    let size = this.#spare.length * PAGE_OCTETS;
    for (const page of this.#pages) size += page?.octets.length ?? 0;
    return size;
  }

  #pageOf(place: number): Page {
    const page = this.#pages[Math.floor(place / SLOTS)];
    if (page === undefined) throw new RangeError(`no octets at ${place}`);
    return page;
  }

  #openOf(slotSize: number): Page[] {
    // A page of its own is never open.
    if (slotSize > PAGE_OCTETS) return [];
    let open = this.#open.get(slotSize);
    if (open === undefined) {
      open = [];
      this.#open.set(slotSize, open);
    }
    return open;
  }

  #begin(slotSize: number, open: Page[]): Page {
    const number = this.#gone.pop() ?? this.#pages.length;
    const spare = slotSize <= PAGE_OCTETS ? this.#spare.pop() : undefined;
    const octets = spare ?? Buffer.allocUnsafeSlow(Math.max(PAGE_OCTETS, slotSize));
    const page: Page = { number, octets, slotSize, begun: 0, live: 0, firstFree: NO_SLOT, listed: NONE };
    this.#pages[number] = page;
    list(page, open);
    return page;
  }

  #end(page: Page): void {
    this.#pages[page.number] = undefined;
    this.#gone.push(page.number);
    if (page.octets.length === PAGE_OCTETS && this.#spare.length < MOST_SPARE) this.#spare.push(page.octets);
  }
}

function list(page: Page, open: Page[]): void {
  page.listed = open.push(page) - 1;
}

function unlist(page: Page, open: Page[]): void {
  const last = open.pop();
  if (last !== undefined && last !== page) {
    open[page.listed] = last;
    last.listed = page.listed;
  }
  page.listed = NONE;
}

/** The next of 32, 40, 48, 56, 64, 80, 96, ...; more than a page has is taken as it is. */
function slotSizeOf(size: number): number {
  if (size <= LEAST_SLOT) return LEAST_SLOT;
  if (size > PAGE_OCTETS) return size;
  const step = 1 << (29 - Math.clz32(size - 1));
  return Math.ceil(size / step) * step;
}
