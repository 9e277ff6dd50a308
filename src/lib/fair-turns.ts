interface Line<T> {
  /** What runs of this key, in units. */
  units: number;
  /** In the order in which they came. */
  readonly waiting: Set<T>;
  /** Virtual times: when its first waiting one may begin, and when the last one that began is paid for. */
  start: number;
  finish: number;
  /** Of two with the same start the one that had it first comes first. */
  since: number;
}

/**
 * Whose turn it is among keys that share places. The key with the fewest units running comes first; of
 * several the one that was served the least, by start-time fair queueing (Goyal, Vin and Cheng, 1996): a
 * key that asks one at a time is not behind one that has a hundred waiting because it has to come back
 * each time. Nobody saves up: who was away begins where the others are.
 */
export class FairTurns<T> {
  readonly #lines = new Map<string, Line<T>>();
  /** The virtual time: the start of what began last. */
  #now = 0;
  #since = 0;
  #waiting = 0;
  #running = 0;

  get waiting(): number {
    return this.#waiting;
  }

  /** Units that run. */
  get running(): number {
    return this.#running;
  }

  /** Units of that key that run. */
  runningOf(keyId: string): number {
    return this.#lines.get(keyId)?.units ?? 0;
  }

  waitingOf(keyId: string): number {
    return this.#lines.get(keyId)?.waiting.size ?? 0;
  }

  add(keyId: string, item: T): void {
    const line = this.#line(keyId);
    if (line.waiting.size === 0) this.#startAt(line, Math.max(this.#now, line.finish));
    line.waiting.add(item);
    this.#waiting += 1;
  }

  /** False when it does not wait any more. */
  remove(keyId: string, item: T): boolean {
    const line = this.#lines.get(keyId);
    if (line?.waiting.delete(item) !== true) return false;
    this.#waiting -= 1;
    this.#forget(keyId, line);
    return true;
  }

  /** Who is next; null when nobody waits. */
  next(): { readonly keyId: string; readonly item: T } | null {
    let best: { readonly keyId: string; readonly item: T; readonly line: Line<T> } | null = null;
    for (const [keyId, line] of this.#lines) {
      const [item] = line.waiting;
      if (item === undefined) this.#forget(keyId, line);
      else if (best === null || isBefore(line, best.line)) best = { keyId, item, line };
    }
    return best;
  }

  /** The key with the most waiting, and those, oldest first; null when nobody waits. */
  longest(): { readonly keyId: string; readonly items: ReadonlySet<T> } | null {
    let longest: { readonly keyId: string; readonly items: ReadonlySet<T> } | null = null;
    for (const [keyId, { waiting }] of this.#lines)
      if (waiting.size > (longest?.items.size ?? 0)) longest = { keyId, items: waiting };
    return longest;
  }

  /** One of that key begins, `item` of those that wait if it is one. */
  begin(keyId: string, units: number, item?: T): void {
    const line = this.#line(keyId);
    const waited = item !== undefined && line.waiting.delete(item);
    if (waited) this.#waiting -= 1;
    const start = waited ? line.start : Math.max(this.#now, line.finish);
    this.#now = Math.max(this.#now, start);
    line.finish = start + units;
    line.units += units;
    this.#running += units;
    if (line.waiting.size > 0) this.#startAt(line, line.finish);
  }

  /** What runs of that key takes so much more of its turns than it was begun with. Before its end. */
  charge(keyId: string, more: number): void {
    const line = this.#line(keyId);
    line.finish += more;
    if (line.waiting.size > 0) line.start += more;
  }

  end(keyId: string, units: number): void {
    const line = this.#line(keyId);
    line.units -= units;
    this.#running -= units;
    this.#forget(keyId, line);
  }

  #startAt(line: Line<T>, start: number): void {
    line.start = start;
    this.#since += 1;
    line.since = this.#since;
  }

  #line(keyId: string): Line<T> {
    let line = this.#lines.get(keyId);
    if (line === undefined) {
      line = { units: 0, waiting: new Set(), start: 0, finish: 0, since: 0 };
      this.#lines.set(keyId, line);
    }
    return line;
  }

  /** What a key was served is remembered until the others have had as much, or nobody is there any more. */
  #forget(keyId: string, line: Line<T>): void {
    if (this.#running === 0 && this.#waiting === 0) {
      this.#lines.clear();
      this.#now = 0;
    } else if (line.units === 0 && line.waiting.size === 0 && line.finish <= this.#now)
      this.#lines.delete(keyId);
  }
}

function isBefore(a: Line<unknown>, b: Line<unknown>): boolean {
  if (a.units !== b.units) return a.units < b.units;
  return a.start === b.start ? a.since < b.since : a.start < b.start;
}
