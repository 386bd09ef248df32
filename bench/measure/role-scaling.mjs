import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './ask.mjs'
import { bundleServer } from './bundle.mjs'
import { startChild } from './child.mjs'

/** Events that show that a stage has taken its partitions over. */
const FIRST_EVENTS = 2000
const WATCH_MS = 20
/** Batches that one load process may send. */
const SERIALS = 1_000_000
const QUESTION = {
  ...{ kind: 'series', metric: 'events', granularity: 'minute', range: { last: '24h' } },
  filters: { device: ['desktop'], category: ['shoes'] },
}

/**
 * What one and two processes of a role do, on a broker, a Redis and an engine that they share; everything else that they
 * need runs beside them.
 * @param {{ services: ReturnType<typeof startChild>, address: string, partitions: number, events: number, connections: number, batch: number, questions: number }} options
 */
export function createRoleScaling({ services, address, partitions, events, connections, batch, questions }) {
  let topics = 0
  let senders = 0

  /** Starts processes, one for each list of roles, on a topic and stores of their own, and runs `measure` with them. */
  async function withNodes(roles, measure) {
    const { redis } = await services.ask('redis')
    const { clickhouse } = await services.ask('clickhouse')
    const kafka = { brokers: [address], topic: `scaling-${topics++}`, partitions }
    const file = await bundleServer('role-node')
    const nodes = roles.map((own) => ({ roles: own, child: startChild(file) }))
    try {
      for (const node of nodes) {
        const options = { roles: node.roles, kafka, redis, clickhouse, logLevel: 'fatal' }
        Object.assign(node, await node.child.ask({ start: options }))
      }
      return await measure(nodes)
    } finally {
      await Promise.all(nodes.map(({ child }) => child.stop()))
    }
  }

  /** Two processes send, each to one of the nodes. @returns the slower one's time */
  async function send(nodes, count) {
    const loads = [0, 1].map(() => startChild(new URL('../load/send-batches.mjs', import.meta.url)))
    try {
      for (const [i, load] of loads.entries()) {
        const { port, key } = nodes[i % nodes.length]
        const firstSerial = senders++ * SERIALS
        await load.ask({ port, key, connections: connections / 2, eventsPerBatch: batch, firstSerial })
      }
      const sent = await Promise.all(loads.map((load) => load.ask({ events: count / 2 })))
      return {
        events: sent.reduce((sum, one) => sum + one.events, 0),
        ms: Math.max(...sent.map((one) => one.elapsedMs)),
      }
    } finally {
      await Promise.all(loads.map((load) => load.stop()))
    }
  }

  async function figuresOf(nodes) {
    const figures = await Promise.all(nodes.map(({ child }) => child.ask('figures')))
    const processed = (stage) => figures.reduce((sum, one) => sum + (one.processed[stage] ?? 0), 0)
    return { cpuMs: figures.reduce((sum, { cpuMs }) => sum + cpuMs, 0), processed }
  }

  async function untilProcessed(nodes, stage, count) {
    for (;;) {
      const figures = await figuresOf(nodes)
      if (figures.processed(stage) >= count) return figures
      await sleep(WATCH_MS)
    }
  }

  const times = (count, roles) => Array.from({ length: count }, () => roles)

  const measureIngest = (count) =>
    withNodes(times(count, ['ingest']), async (nodes) => {
      await send(nodes, events / 4) // warm-up
      const before = await figuresOf(nodes)
      const sent = await send(nodes, events)
      const after = await figuresOf(nodes)
      return { events: sent.events, ms: sent.ms, cpuMs: after.cpuMs - before.cpuMs }
    })

  /** They hold their partitions and stand still while the log is filled; then they read what is there. */
  const measureConsumer = (role, count) =>
    withNodes([['ingest'], ...times(count, [role])], async ([ingest, ...nodes]) => {
      const first = await send([ingest], FIRST_EVENTS)
      await untilProcessed(nodes, role, first.events)
      for (const { pid } of nodes) process.kill(pid, 'SIGSTOP')
      const sent = await send([ingest], events).finally(() => {
        for (const { pid } of nodes) process.kill(pid, 'SIGCONT')
      })
      const startedAt = performance.now()
      const before = await figuresOf(nodes)
      const after = await untilProcessed(nodes, role, first.events + sent.events)
      return { events: sent.events, ms: performance.now() - startedAt, cpuMs: after.cpuMs - before.cpuMs }
    })

  const measureQuery = (count) =>
    withNodes([['ingest', 'aggregate', 'archive'], ...times(count, ['query'])], async ([all, ...nodes]) => {
      const { events: sent } = await send([all], events)
      await untilProcessed([all], 'aggregate', sent)
      await untilProcessed([all], 'archive', sent)
      const asking = (many) =>
        Promise.all(
          Array.from({ length: 8 }, async (_, i) => {
            const { port, token } = nodes[i % nodes.length]
            for (let asked = 0; asked < many / 8; asked++) await ask(`http://127.0.0.1:${port}`, token, QUESTION)
          }),
        )
      await asking(questions / 4) // warm-up
      const before = await figuresOf(nodes)
      const startedAt = performance.now()
      await asking(questions)
      const ms = performance.now() - startedAt
      return { events: questions, ms, cpuMs: (await figuresOf(nodes)).cpuMs - before.cpuMs }
    })

  return {
    ingest: measureIngest,
    aggregate: (count) => measureConsumer('aggregate', count),
    archive: (count) => measureConsumer('archive', count),
    query: measureQuery,
  }
}
