import { bundleServer } from './bundle.mjs'
import { startChild } from './child.mjs'

const keyOf = (kind, number) => `nc_${kind}_bench${String(number).padStart(4, '0')}`

/**
 * CPU of an event through a whole server on Kafka and Redis, for each of its parts.
 * @param {{ services: ReturnType<typeof startChild>, address: string, events: number, connections: number, batch: number }} options
 */
export function createCostOf({ services, address, events, connections, batch }) {
  let topics = 0

  return async ({ partitions, projects, categories }) => {
    const { redis } = await services.ask('redis')
    const server = startChild(await bundleServer('whole-server'))
    const load = startChild(new URL('../load/send-batches.mjs', import.meta.url))
    const numbers = Array.from({ length: projects }, (_, number) => number)
    try {
      const { port } = await server.ask({
        start: {
          kafka: { brokers: [address], topic: `growth-${topics++}`, partitions },
          redis,
          projects: numbers.map((number) => ({
            ...{ id: `bench-${number}`, readSecret: 'x'.repeat(32) },
            ...{ writeKey: keyOf('pub', number), secretKey: keyOf('sec', number) },
          })),
        },
      })
      const keys = numbers.map((number) => keyOf('pub', number))
      await load.ask({ port, keys, connections, eventsPerBatch: batch, categories })
      const warm = await load.ask({ events: events / 4 })
      const before = { ...(await server.ask({ settle: warm.events })), ...(await services.ask('cpu')) }
      const startedAt = Date.now()
      const sent = await load.ask({ events })
      const after = { ...(await server.ask({ settle: warm.events + sent.events })), ...(await services.ask('cpu')) }
      if (after.differences > 0) throw new Error(`log, live and history differ in ${after.differences} places`)
      const us = (field) => ((after[field] - before[field]) * 1000) / sent.events
      return {
        ...{ serverUs: us('serverMs'), engineUs: us('engineMs'), redisUs: us('redisMs'), brokerUs: us('brokerMs') },
        perSecond: (sent.events * 1000) / (Math.max(after.liveAt, after.archivedAt) - startedAt),
      }
    } finally {
      await Promise.all([load.stop(), server.stop()])
    }
  }
}
