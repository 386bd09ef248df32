import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDruidEventStore } from '../../packages/server/src/adapters/druid/druid-event-store.ts'
import { createKafkaUniqueRows } from '../../packages/server/src/adapters/kafka/kafka-unique-rows.ts'
import { eventStoreConformance } from '../../packages/server/src/ports/event-store.conformance.ts'
import type { EventStore } from '../../packages/server/src/ports/event-store.ts'
import { type DruidCluster, druidIsMissing, startDruid } from '../servers/start-druid.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../servers/start-kafka.ts'
import { until } from '../servers/until.ts'

const CATCH_UP_MS = 240_000

/** What Druid does not do, and why that is no harm or what the answer is instead. */
const EXCEPTIONS = {
  funnels: 'Druid does not tell the order of a user’s events: 501',
  'refused events are kept per project for seven days, newest first':
    'Druid takes rows from its topic only: refused events are counted, and asking for them is a 501',
  'rows whose lease has ended by the store’s own clock are refused, and their whole insert with them':
    'Kafka refuses a writer that was replaced, whatever the time: see unique-rows.druid.test.ts',
  'the frontier of each partition is its highest offset, told apart by epoch':
    'which offsets are archived is told by the end of the topic, repeats with them; tested below',
  'nor does the name of a property':
    'a name with other characters than letters, digits and a few more is a 501: Druid does not quote it, tested below',
  'an insert over three months is found offset by offset':
    'an insert is one transaction a partition, which cannot be torn; tested below',
}

describe.skipIf(kafkaIsMissing || druidIsMissing)('Druid', () => {
  let kafka: KafkaServer
  let druid: DruidCluster
  let store: EventStore

  beforeAll(async () => {
    kafka = await startKafka()
    druid = await startDruid()
  })
  afterAll(async () => {
    await store?.stop()
    await druid?.stop()
    await kafka?.stop()
  })

  async function open(): Promise<EventStore> {
    const brokers = [kafka.address]
    const options = { brokers, topic: 'conforms.unique', partitions: 5, retentionMs: 3_600_000 }
    store = createDruidEventStore(createKafkaUniqueRows(options), {
      ...{ url: druid.url, consumerProperties: { 'bootstrap.servers': kafka.address } },
    })
    await store.start()
    // Druid reads what was inserted a moment later.
    const settled = () =>
      until(
        true,
        () =>
          store.integrity(0, 1).then(
            () => true,
            () => false,
          ),
        CATCH_UP_MS,
      )
    return {
      ...store,
      async insert(rows, options) {
        await store.insert(rows, options)
        await settled()
      },
    }
  }

  eventStoreConformance('druid', { open, cleanUp: async () => {} }, EXCEPTIONS)

  test('the end of the topic is the frontier, and what is asked for of the rest is a 501 that names it', async () => {
    const places = (await store.frontiers(1)).map(({ partition, offset }) => ({ partition, offset }))
    // The last of 2000 rows in three partitions; rows of other epochs came behind those of partition 0.
    expect(places).toEqual([
      { partition: 1, offset: 1999 },
      { partition: 2, offset: 1997 },
    ])
    expect(await store.archivedRanges(1, 1, 1990, 3000)).toEqual([{ from: 1990, to: 2000 }])
    const range = { project: 'shop', from: 0, to: 1, filters: [], bots: true }
    const odd = {
      ...range,
      measures: ['events' as const],
      timezone: 'UTC',
      breakdown: `properties.x') OR ('1` as const,
    }
    const refusals = [
      store.aggregate(odd),
      store.funnel({ ...range, steps: [{ name: 'x', filters: [] }], windowMs: 1 }),
      store.rejected('shop', 1),
      store.deleteUser('shop', 'u1'),
      store.exportEvents(range, 'csv'),
      store.retireMonths({ eventsFrom: 0 }),
    ]
    for (const refusal of refusals) {
      await expect(refusal).rejects.toMatchObject({ code: 'not_supported', status: 501, message: /Druid .* cannot/ })
    }
  })
})
