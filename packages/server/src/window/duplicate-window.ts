const FIRST_CAPACITY = 1024
const EMPTY = -1

/**
 * Remembers the identities of the last `size` events of a partition and tells repeats.
 *
 * An event at offset `o` is a duplicate iff its identity stands in `[o − size, o)` and the latest such occurrence was
 * received at most `maxAgeMs` apart, where duplicates count as occurrences too. That makes the answer a pure function of the log.
 *
 * A ring holds the identities (12 bytes) and received times (8 bytes); an open-addressing table of at most half load,
 * 4 bytes a slot, points at the latest occurrence of each. Memory grows with use up to `size`.
 */
export class DuplicateWindow {
  private readonly size: number
  private readonly maxAgeMs: number
  private ids = new Uint32Array(0)
  private receivedAt = new Float64Array(0)
  private table = new Int32Array(0)
  private mask = 0
  private capacity = 0
  /** Offset of the next event. */
  private next = 0
  /** Events held: those at `[next − held, next)`. */
  private held = 0

  constructor(size: number, maxAgeMs: number) {
    this.size = Math.max(1, size)
    this.maxAgeMs = maxAgeMs
    this.resize(Math.min(FIRST_CAPACITY, this.size + 1))
  }

  /** Offset of the next event to be added. */
  get position(): number {
    return this.next
  }

  /** Bytes of the arrays. */
  get byteLength(): number {
    return this.ids.byteLength + this.receivedAt.byteLength + this.table.byteLength
  }

  /** Age of the oldest identity held when the next event is received at `now`, ms; the reach of the window today. */
  reachMs(now: number): number {
    if (this.held < this.size) return this.maxAgeMs
    const oldest = this.receivedAt[(this.next - this.held) % this.capacity] as number
    return Math.min(this.maxAgeMs, Math.max(0, now - oldest))
  }

  /** Forgets everything; the next event is the one at `offset`. */
  reset(offset: number): void {
    this.next = offset
    this.held = 0
    this.table.fill(EMPTY)
  }

  /**
   * Takes in the event at {@link position} and tells whether it is a duplicate. An offset without an event, whose words
   * are 0, takes its place too, and counts as one.
   * @param ids three words an event
   * @param i the event's place in `ids`
   */
  add(ids: Uint32Array, i: number, receivedAt: number): boolean {
    if (this.held === this.capacity) this.resize(Math.min(this.capacity * 2, this.size + 1))
    const a = ids[i * 3] as number
    const b = ids[i * 3 + 1] as number
    const c = ids[i * 3 + 2] as number
    const ring = this.next % this.capacity
    let slot = a & this.mask
    let duplicate = false
    for (;;) {
      const at = this.table[slot] as number
      if (at === EMPTY) break
      if (this.ids[at * 3] === a && this.ids[at * 3 + 1] === b && this.ids[at * 3 + 2] === c) {
        duplicate = Math.abs(receivedAt - (this.receivedAt[at] as number)) <= this.maxAgeMs
        break
      }
      slot = (slot + 1) & this.mask
    }
    this.table[slot] = ring
    this.ids[ring * 3] = a
    this.ids[ring * 3 + 1] = b
    this.ids[ring * 3 + 2] = c
    this.receivedAt[ring] = receivedAt
    this.next++
    this.held++
    if (this.held > this.size) this.forgetOldest()
    return duplicate || (a | b | c) === 0
  }

  /** Makes room for one event; a later occurrence of the same identity stays. */
  private forgetOldest(): void {
    const ring = (this.next - this.held) % this.capacity
    this.held--
    let slot = (this.ids[ring * 3] as number) & this.mask
    while (this.table[slot] !== ring) {
      if (this.table[slot] === EMPTY) return
      slot = (slot + 1) & this.mask
    }
    // Deletion by shifting back (Knuth, TAOCP 6.4, algorithm R), so that no tombstones gather.
    let hole = slot
    let probe = slot
    for (;;) {
      probe = (probe + 1) & this.mask
      const at = this.table[probe] as number
      if (at === EMPTY) break
      const home = (this.ids[at * 3] as number) & this.mask
      const between = hole <= probe ? hole < home && home <= probe : hole < home || home <= probe
      if (between) continue
      this.table[hole] = at
      hole = probe
    }
    this.table[hole] = EMPTY
  }

  private resize(capacity: number): void {
    const ids = new Uint32Array(capacity * 3)
    const receivedAt = new Float64Array(capacity)
    let slots = 1
    while (slots < capacity * 2) slots *= 2
    const old = { ids: this.ids, receivedAt: this.receivedAt, capacity: this.capacity }
    this.ids = ids
    this.receivedAt = receivedAt
    this.capacity = capacity
    this.table = new Int32Array(slots).fill(EMPTY)
    this.mask = slots - 1
    const end = this.next
    const held = this.held
    this.next = end - held
    this.held = 0
    for (let offset = end - held; offset < end; offset++) {
      const from = offset % old.capacity
      this.add(old.ids, from, old.receivedAt[from] as number)
    }
  }
}
