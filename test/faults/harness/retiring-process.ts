// Opens an event store, tells what it answers, and retires its old months without a pause until it is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { createClickHouseEventStore } from '../../../packages/server/src/adapters/clickhouse/clickhouse-event-store.ts'

const [dataDir, entry, end] = process.argv.slice(2) as [string, string, string]
const to = Number(end)
const store = createClickHouseEventStore({ embedded: { dataDir, entry } }, { settleMs: 0 })
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`)

async function answers(): Promise<string[]> {
  const selection = { project: 'shop', from: 0, to, filters: [], bots: true, timezone: 'UTC' }
  const measures = ['events' as const, 'revenue' as const, 'users' as const, 'sessions' as const]
  const days = await store.aggregate({ ...selection, measures, granularity: 'day' })
  const countries = await store.aggregate({ ...selection, measures, breakdown: 'country', limit: 10 })
  return [...days, ...countries].map(({ t, key, values }) => [t, key, ...values].join(' '))
}

await store.start()
const { rows, distinct, rolledUp } = await store.integrity(0, to)
say({ answers: await answers(), inRows: rows, isWhole: rows === distinct && rows === rolledUp })
for (;;) {
  try {
    const { strayed, ...steps } = await store.retireMonths({ eventsFrom: to })
    if (strayed.length > 0) say({ strayed })
    const done = Object.values(steps).flat().length
    say(done > 0 ? { steps } : { isDone: true, totals: await store.rolledUpTotals() })
    if (done === 0) await sleep(100)
  } catch (error) {
    // Its engine was killed, and starts again.
    say({ failed: (error as Error).message })
    await sleep(20)
  }
}
