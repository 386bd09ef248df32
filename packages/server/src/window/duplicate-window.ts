const FIRST_CAPACITY = 1024
/** Most of the table's slots that are taken. */
const FULLEST = 0.75
const EMPTY = -1
/** Events whose slots are read together before they are added. */
const AT_ONCE = 32

/**
 * Remembers the identities of the last `size` events of a partition and tells repeats.
 *
 * An event at offset `o` is a duplicate iff its identity stands in `[o − size, o)` and the latest such occurrence was
 * received at most `maxAgeMs` apart, where duplicates count as occurrences too. That makes the answer a pure function of the log.
 *
 * A ring holds the identities (12 bytes) and received times (8 bytes); an open-addressing table, 8 bytes a slot, points
 * at the latest occurrence of each. A slot keeps the identity's first word beside its place, so that probing reads
 * neighbours of the table and not one line of the ring for each. Memory grows with what is added or reserved, for `size`
 * events at most.
 */
export class DuplicateWindow {
  private readonly size: number
  private readonly maxAgeMs: number
  private ids = new Uint32Array(0)
  private receivedAt = new Float64Array(0)
  /** Two words a slot: place in the ring or {@link EMPTY}, and first word of the identity there. */
  private table = new Int32Array(0)
  private mask = 0
  private capacity = 0
  /** Offset of the next event. */
  private next = 0
  /** Events held: those at `[next − held, next)`. */
  private held = 0
  // biome-ignore lint/correctness/noUnusedPrivateClassMembers: what `warm` read is kept, lest its reading be left out as useless
  private warmed = 0

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

  /**
   * Forgets everything; the next event is the one at `offset`.
   * @param expected events that will come, as far as is known: room for them is made at once
   */
  reset(offset: number, expected = 0): void {
    this.next = offset
    this.held = 0
    const capacity = Math.min(expected, this.size) + 1
    if (capacity > this.capacity) this.resize(capacity)
    else this.table.fill(EMPTY)
  }

  /**
   * Takes in the events from {@link position} on and tells which are duplicates. An offset without an event, whose words
   * are 0, takes its place too, and counts as one.
   * @param ids three words an event, of which those of events `[first, last)` are taken
   * @param receivedAt of each event, epoch ms
   * @param repeats set to 1 for each duplicate
   * @returns how many are duplicates
   */
  add(ids: Uint32Array, receivedAt: Float64Array, first: number, last: number, repeats?: Uint8Array): number {
    let duplicates = 0
    for (let from = first; from < last; from += AT_ONCE) {
      const to = Math.min(last, from + AT_ONCE)
      this.warm(ids, from, to)
      for (let i = from; i < to; i++) {
        if (!this.addOne(ids, i, receivedAt[i] as number)) continue
        duplicates++
        if (repeats) repeats[i] = 1
      }
    }
    return duplicates
  }

  private addOne(ids: Uint32Array, i: number, receivedAt: number): boolean {
    if (this.held === this.capacity) this.resize(Math.min(this.capacity * 2, this.size + 1))
    const a = ids[i * 3] as number
    const b = ids[i * 3 + 1] as number
    const c = ids[i * 3 + 2] as number
    const ring = this.next % this.capacity
    const slot = this.slotOf(a, b, c)
    const before = this.table[slot * 2] as number
    const duplicate = before !== EMPTY && Math.abs(receivedAt - (this.receivedAt[before] as number)) <= this.maxAgeMs
    this.table[slot * 2] = ring
    this.table[slot * 2 + 1] = a
    this.ids[ring * 3] = a
    this.ids[ring * 3 + 1] = b
    this.ids[ring * 3 + 2] = c
    this.receivedAt[ring] = receivedAt
    this.next++
    this.held++
    if (this.held > this.size) this.forgetOldest()
    return duplicate || (a | b | c) === 0
  }

  /**
   * Reads the slots that adding events will read, and those of the events that will be forgotten for them: none of these
   * loads waits for another, as they do while events are added, so that memory serves many at a time.
   */
  private warm(ids: Uint32Array, first: number, last: number): void {
    const { table, mask, capacity } = this
    let words = 0
    for (let i = first; i < last; i++) words ^= table[((ids[i * 3] as number) & mask) * 2] as number
    const oldest = this.next - this.held
    for (let offset = oldest; offset < oldest + this.held + last - first - this.size; offset++) {
      words ^= table[((this.ids[(offset % capacity) * 3] as number) & mask) * 2] as number
    }
    this.warmed = words
  }

  /** The slot of an identity, or the empty one that it would take. */
  private slotOf(a: number, b: number, c: number): number {
    const { table, ids, mask } = this
    const word = a | 0
    let slot = word & mask
    for (;;) {
      const at = table[slot * 2] as number
      if (at === EMPTY) return slot
      if (table[slot * 2 + 1] === word && ids[at * 3 + 1] === b && ids[at * 3 + 2] === c) return slot
      slot = (slot + 1) & mask
    }
  }

  /** Makes room for one event; a later occurrence of the same identity stays. */
  private forgetOldest(): void {
    const { table, mask } = this
    const ring = (this.next - this.held) % this.capacity
    this.held--
    let hole = (this.ids[ring * 3] as number) & mask
    while (table[hole * 2] !== ring) {
      if (table[hole * 2] === EMPTY) return
      hole = (hole + 1) & mask
    }
    // Deletion by shifting back (Knuth, TAOCP 6.4, algorithm R), so that no tombstones gather.
    let probe = hole
    for (;;) {
      probe = (probe + 1) & mask
      const at = table[probe * 2] as number
      if (at === EMPTY) break
      const word = table[probe * 2 + 1] as number
      const home = word & mask
      const between = hole <= probe ? hole < home && home <= probe : hole < home || home <= probe
      if (between) continue
      table[hole * 2] = at
      table[hole * 2 + 1] = word
      hole = probe
    }
    table[hole * 2] = EMPTY
  }

  private resize(capacity: number): void {
    const ids = new Uint32Array(capacity * 3)
    const receivedAt = new Float64Array(capacity)
    const old = { ids: this.ids, receivedAt: this.receivedAt, capacity: this.capacity }
    this.ids = ids
    this.receivedAt = receivedAt
    this.capacity = capacity
    let slots = 1
    while (slots * FULLEST < capacity) slots *= 2
    this.table = new Int32Array(slots * 2).fill(EMPTY)
    this.mask = slots - 1
    const end = this.next
    const held = this.held
    this.next = end - held
    this.held = 0
    while (this.next < end) {
      const first = this.next % old.capacity
      this.add(old.ids, old.receivedAt, first, Math.min(old.capacity, first + end - this.next))
    }
  }
}
