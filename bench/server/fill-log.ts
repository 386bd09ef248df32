import { createLmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { createCountryOfIp, createIngest, nativeFormat } from '../../packages/server/src/ingest/ingest.ts'
import { type ProjectOptions, toProject } from '../../packages/server/src/project.ts'
import { createTelemetry } from '../../packages/server/src/telemetry.ts'
import { dayEvents } from '../load/day-events.mjs'

const BATCH = 1000
const AT_ONCE = 8
/** From an event's time to its arrival, ms. */
const UNDER_WAY_MS = 50
const NO_CONNECTION = { ip: undefined, userAgent: undefined, country: undefined, hints: undefined }

/** Events, spread evenly. */
export interface Filling {
  events: number
  /** The first event, and end of the stretch, epoch ms. */
  from: number
  to: number
}

/**
 * Takes so many events into the embedded log of a server that does not run, as if they had arrived one after the other in
 * that stretch.
 */
export async function fillLog(path: string, owner: ProjectOptions, { events, from, to }: Filling): Promise<object> {
  const log = createLmdbEventLog({ path })
  await log.start()
  let now = from
  const metrics = createTelemetry().ingest
  const ingest = createIngest({ log, clock: { now: () => now }, countryOfIp: createCountryOfIp(), metrics })
  const project = toProject(owner)
  const eventOf = dayEvents()
  for (let first = 0; first < events; first += BATCH * AT_ONCE) {
    const batches = Array.from({ length: AT_ONCE }, (_, batch) => {
      const start = first + batch * BATCH
      const length = Math.max(0, Math.min(BATCH, events - start))
      now = Math.floor(from + ((start + length) / events) * (to - from))
      const body = { events: Array.from({ length }, (_, i) => eventOf(start + i, timeOf(start + i))) }
      return ingest.accept({
        ...{ owner: { project, kind: 'secret' }, body, isPlain: true, connection: NO_CONNECTION },
        format: nativeFormat,
      })
    })
    const answers = await Promise.all(batches)
    const refused = answers.flatMap(({ rejected }) => rejected)
    if (refused.length > 0) throw new Error(`an event was refused: ${refused[0]?.message}`)
    if (first % (BATCH * 500) === 0) console.error(`${first} of ${events} events are in the log`)
  }
  await ingest.stop()
  await log.stop()
  return { events, from, to }

  function timeOf(number: number): number {
    return Math.floor(from + (number / events) * (to - from)) - UNDER_WAY_MS
  }
}
