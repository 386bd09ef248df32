import { parseUnits } from './decimal-units.ts'
import type { KnownBatch } from './generated-traffic.ts'

/** Count and exact revenue (ten-thousandths). */
export interface Sum {
  events: number
  units: bigint
}

/** What the server has acknowledged, by project and minute. */
export interface AcknowledgedLedger {
  record(project: string, batch: KnownBatch): void
  readonly events: number
  /** Sums of the buckets of `sizeMs` that begin within `[from, to)`, by their start. */
  sums(project: string, from: number, to: number, sizeMs: number): Map<number, Sum>
  total(project: string, from: number, to: number): Sum
  /** How many ordered events each sender has had acknowledged, and the time that they all bear, epoch ms. */
  readonly ordered: ReadonlyMap<string, { project: string; events: number; timestamp: number }>
}

const MINUTE_MS = 60_000

/** An empty ledger. */
export function createLedger(): AcknowledgedLedger {
  const minutes = new Map<string, Map<number, Sum>>()
  const ordered = new Map<string, { project: string; events: number; timestamp: number }>()
  let events = 0

  function sums(project: string, from: number, to: number, sizeMs: number): Map<number, Sum> {
    const answer = new Map<number, Sum>()
    for (const [minute, sum] of minutes.get(project) ?? []) {
      if (minute < from || minute >= to) continue
      add(answer, minute - (minute % sizeMs), sum)
    }
    return answer
  }

  return {
    get events() {
      return events
    },
    ordered,
    record(project, batch) {
      let ofProject = minutes.get(project)
      if (!ofProject) {
        ofProject = new Map()
        minutes.set(project, ofProject)
      }
      for (const { timestamp, revenue, properties } of batch.events) {
        add(ofProject, timestamp - (timestamp % MINUTE_MS), { events: 1, units: parseUnits(String(revenue ?? '0')) })
        if (properties.sender === undefined) continue
        const sender = ordered.get(properties.sender) ?? { project, events: 0, timestamp }
        sender.events++
        ordered.set(properties.sender, sender)
      }
      events += batch.events.length
    },
    sums,
    total: (project, from, to) => {
      const all = { events: 0, units: 0n }
      for (const { events, units } of sums(project, from, to, MINUTE_MS).values()) {
        all.events += events
        all.units += units
      }
      return all
    },
  }
}

function add(sums: Map<number, Sum>, at: number, { events, units }: Sum): void {
  const sum = sums.get(at) ?? { events: 0, units: 0n }
  sum.events += events
  sum.units += units
  sums.set(at, sum)
}
