import type { Answer, LiveDelta, LiveSnapshot } from '@nowcast/protocol'
import { diffAnswers } from './delta.ts'

/** Deltas kept for those who come back. */
const KEPT_DELTAS = 60

/** What a tick makes viewers hear. */
export type RoomMessage = { event: 'delta'; message: LiveDelta } | { event: 'snapshot'; message: LiveSnapshot }

/** One distinct live question: its last answer and what changed lately, for all who watch it. */
export class Room {
  readonly id: string
  readonly everyMs: number
  revision = 0
  /** When the answer was last computed, epoch ms. */
  answeredAt = 0
  private answer: Answer | undefined
  private readonly deltas: LiveDelta[] = []
  private readonly compute: () => Promise<Answer>
  private computing: Promise<Answer> | undefined

  constructor(id: string, everyMs: number, compute: () => Promise<Answer>) {
    this.id = id
    this.everyMs = everyMs
    this.compute = compute
  }

  /** Resolves when there is an answer. */
  async ready(): Promise<void> {
    this.answer ??= await this.fresh()
  }

  /** The answer as the viewers have it; not before it is {@link ready}. */
  snapshot(): LiveSnapshot {
    if (!this.answer) throw new Error('the room has no answer yet')
    return { id: this.id, revision: this.revision, snapshot: this.answer }
  }

  /** Computes the answer again; tells what viewers must hear, if anything. */
  async tick(now: number): Promise<RoomMessage | undefined> {
    const previous = this.answer
    this.answeredAt = now
    const next = await this.fresh()
    this.answer = next
    if (!previous) return undefined
    const change = diffAnswers(previous, next)
    if (!change) return undefined
    this.revision++
    if (change === 'snapshot') {
      this.deltas.length = 0
      return { event: 'snapshot', message: { id: this.id, revision: this.revision, snapshot: next } }
    }
    const delta: LiveDelta = { id: this.id, revision: this.revision, asOf: next.asOf, ...change }
    this.deltas.push(delta)
    if (this.deltas.length > KEPT_DELTAS) this.deltas.shift()
    return { event: 'delta', message: delta }
  }

  /** The deltas after a revision; undefined when they are not all known any more. */
  deltasAfter(revision: number): LiveDelta[] | undefined {
    if (revision === this.revision) return []
    if (revision > this.revision || (this.deltas[0]?.revision ?? Number.POSITIVE_INFINITY) > revision + 1)
      return undefined
    return this.deltas.filter((delta) => delta.revision > revision)
  }

  /** One computation for all who ask at the same time. */
  private async fresh(): Promise<Answer> {
    this.computing ??= this.compute().finally(() => {
      this.computing = undefined
    })
    return this.computing
  }
}
