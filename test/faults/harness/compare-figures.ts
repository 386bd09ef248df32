import type { SeriesAnswer, TotalAnswer } from '@nowcast/protocol'
import { type ProjectKeys, readTokenOf } from '../../servers/known-projects.ts'
import { ask } from '../../servers/requests.ts'
import type { AcknowledgedLedger, Sum } from './acknowledged-ledger.ts'
import { parseUnits } from './decimal-units.ts'
import { RUN } from './generated-traffic.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Only raw rows of the archive can answer a question with this filter. */
const FROM_ROWS = { filters: { 'properties.run': [RUN] } }

export interface Compared {
  url: string
  project: ProjectKeys
  ledger: AcknowledgedLedger
  /** Start of what is compared, epoch ms. */
  from: number
}

/** Events of a project since `from` as the server counts them: live where it can, or from the rows of the archive. */
export async function countedEvents({ url, project, from }: Compared, source: 'live' | 'history'): Promise<number> {
  // Whole minutes, also of the range before it: parts of minutes are the archive's.
  const to = Math.ceil((Date.now() + HOUR_MS) / MINUTE_MS) * MINUTE_MS
  const query = { kind: 'total', range: { from, to }, ...(source === 'history' && FROM_ROWS) }
  return (await ask<TotalAnswer>(url, readTokenOf(project), query)).v
}

/**
 * Everything the server answers about a project beside what it acknowledged: totals and series by minute, by hour and
 * by day, from the hot store, the rollups and the rows; to the unit and the last decimal.
 * @returns one line for each difference
 */
export async function differencesFrom({ url, project, ledger, from }: Compared): Promise<string[]> {
  const token = readTokenOf(project)
  const differences: string[] = []
  const now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + MINUTE_MS
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS + HOUR_MS
  const stretches = [
    { name: 'live', granularity: 'minute', sizeMs: MINUTE_MS, from: now - 23 * HOUR_MS, to: now, selection: {} },
    { name: 'rows', granularity: 'minute', sizeMs: MINUTE_MS, from: now - DAY_MS, to: now, selection: FROM_ROWS },
    { name: 'seam', granularity: 'minute', sizeMs: MINUTE_MS, from: now - 3 * DAY_MS, to: now, selection: {} },
    { name: 'rollups', granularity: 'hour', sizeMs: HOUR_MS, from, to: hour, selection: {} },
    { name: 'rows', granularity: 'hour', sizeMs: HOUR_MS, from, to: hour, selection: FROM_ROWS },
    { name: 'rollups', granularity: 'day', sizeMs: DAY_MS, from: dayOf(from), to: dayOf(now) + DAY_MS, selection: {} },
  ] as const
  for (const { name, granularity, sizeMs, from, to, selection } of stretches) {
    const expected = ledger.sums(project.id, from, to, sizeMs)
    const found = new Map<number, Sum>()
    const query = { granularity, range: { from, to }, ...selection }
    for (const metric of ['events', 'revenue'] as const) {
      const { series } = await ask<SeriesAnswer>(url, token, { kind: 'series', metric, ...query })
      for (const { t, v, exact } of series[0]?.points ?? []) {
        const sum = found.get(t) ?? { events: 0, units: 0n }
        if (metric === 'events') sum.events = v
        else sum.units = parseUnits(exact as string)
        found.set(t, sum)
      }
      const total = await ask<TotalAnswer>(url, token, { kind: 'total', metric, range: { from, to }, ...selection })
      const all = ledger.total(project.id, from, to)
      const [wanted, got] = metric === 'events' ? [all.events, total.v] : [all.units, parseUnits(total.exact as string)]
      if (wanted !== got) differences.push(`${project.id}, total ${metric}, ${name}: ${got}, not ${wanted}`)
    }
    for (const t of new Set([...expected.keys(), ...found.keys()])) {
      const [want, got] = [expected.get(t) ?? { events: 0, units: 0n }, found.get(t) ?? { events: 0, units: 0n }]
      if (want.events === got.events && want.units === got.units) continue
      const at = new Date(t).toISOString()
      differences.push(
        `${project.id}, ${granularity} ${at}, ${name}: ${got.events} with ${got.units}, not ${want.events} with ${want.units}`,
      )
    }
  }
  return differences
}

/** Senders whose events do not stand in the archive in the order they were sent in. */
export async function sendersOutOfOrder({ url, project, ledger }: Compared): Promise<string[]> {
  const wrong: string[] = []
  for (const [sender, { project: owner, events, timestamp }] of ledger.ordered) {
    if (owner !== project.id) continue
    // Equal times: the latest in the log stands first.
    const range = { from: timestamp, to: timestamp + 1 }
    const query = { kind: 'recent', limit: 100, range, filters: { 'properties.sender': [sender] } }
    const answer = await ask<never>(url, readTokenOf(project), query)
    const places = (answer as { events: { properties?: { place: number } }[] }).events.map((e) => e.properties?.place)
    const expected = Array.from({ length: events }, (_, i) => events - 1 - i)
    if (places.join() !== expected.join()) wrong.push(`${sender}: ${places.join()}`)
  }
  return wrong
}

function dayOf(time: number): number {
  return Math.floor(time / DAY_MS) * DAY_MS
}
