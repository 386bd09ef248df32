import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { startRedis } from './measure/redis.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * What windows cost in Redis: CPU of an event on both sides of a flush, memory of a cell in a minute, and the time until
 * a process that answers questions has read a day. The limit is the store in memory with the same deltas.
 */

const flags = readFlags({
  rounds: 5,
  flushes: 10,
  events: 20_000,
  cells: 400,
  users: 20_000,
  dayCells: 500,
  minutes: 1440,
})
const { rounds, flushes, events, cells, users, dayCells, minutes } = flags

const bundle = await bundleServer('hot-stores')
const redis = await startRedis()
const store = startChild(bundle)
const readings = []
const views = []
let bytesPerCell
try {
  await store.ask({ name: 'memory', open: {} })
  await store.ask({ name: 'redis', open: { url: redis.url } })
  for (let round = -1; round < rounds; round++) {
    const flush = { shape: { events, cells, users }, flushes }
    const before = await redis.cpuMs()
    const inRedis = await store.ask({ name: 'redis', flush })
    const redisMs = (await redis.cpuMs()) - before
    const inMemory = await store.ask({ name: 'memory', flush })
    if (round < 0) continue // warm-up
    const each = (ms) => (ms * 1000) / (flushes * events)
    readings.push({
      nodeUs: each(inRedis.cpuMs),
      redisUs: each(redisMs),
      memoryUs: each(inMemory.cpuMs),
      flushMs: inRedis.ms / flushes,
    })
    console.error(
      `round ${round + 1}: ${readings.at(-1).nodeUs.toFixed(2)} and ${readings.at(-1).redisUs.toFixed(2)} µs`,
    )
  }

  await redis.command('FLUSHALL')
  const empty = await redis.memoryBytes()
  await store.ask({ name: 'day', open: { url: redis.url } })
  await store.ask({
    name: 'day',
    fill: { shape: { events: dayCells * 10, cells: dayCells, users: dayCells * 4 }, minutes },
  })
  bytesPerCell = ((await redis.memoryBytes()) - empty) / (minutes * dayCells)
  for (let round = 0; round < rounds; round++) {
    const reader = startChild(bundle)
    try {
      await reader.ask({ name: 'view', open: { url: redis.url } })
      const before = await redis.cpuMs()
      const live = await reader.ask({ name: 'view', view: { live: true } })
      const first = await reader.ask({ name: 'view', view: {} })
      const redisMs = (await redis.cpuMs()) - before
      const idle = await reader.ask({ name: 'view', view: {} })
      await store.ask({ name: 'day', flush: { shape: { events: 1000, cells: dayCells, users: 1000 }, flushes: 1 } })
      const changed = await reader.ask({ name: 'view', view: {} })
      views.push({
        liveMs: live.ms,
        firstMs: live.ms + first.ms,
        firstCpuMs: live.cpuMs + first.cpuMs,
        redisMs,
        idleMs: idle.ms,
        changedMs: changed.ms,
        changedCpuMs: changed.cpuMs,
      })
    } finally {
      await reader.stop()
    }
  }
} finally {
  await store.stop()
  await redis.stop()
}

const of = (name) => readings.map((reading) => reading[name])
const viewOf = (name) => views.map((view) => view[name])
report(
  {
    bench: 'redis',
    setup: { flushes, eventsPerFlush: events, cells, users, minutes, dayCells },
    rows: [
      { what: 'flush, CPU of Node', unit: 'µs/event', readings: of('nodeUs'), digits: 2 },
      { what: 'flush, CPU of Redis', unit: 'µs/event', readings: of('redisUs'), digits: 2 },
      { what: 'limit: into memory, CPU of Node', unit: 'µs/event', readings: of('memoryUs'), digits: 2 },
      { what: `flush of ${events} events`, unit: 'ms', readings: of('flushMs'), digits: 1 },
      { what: 'memory of Redis', unit: 'bytes/cell and minute', readings: [bytesPerCell] },
      { what: 'until the last minutes are live', unit: 'ms', readings: viewOf('liveMs') },
      { what: 'until the whole day is', unit: 'ms', readings: viewOf('firstMs') },
      { what: 'the whole day, CPU of Node', unit: 'ms', readings: viewOf('firstCpuMs') },
      { what: 'the whole day, CPU of Redis', unit: 'ms', readings: viewOf('redisMs') },
      { what: 'view when nothing changed', unit: 'ms', readings: viewOf('idleMs'), digits: 2 },
      { what: 'view when a minute changed', unit: 'ms', readings: viewOf('changedMs'), digits: 1 },
      { what: 'view when a minute changed, CPU of Node', unit: 'ms', readings: viewOf('changedCpuMs'), digits: 1 },
    ],
    aims: [
      {
        what: 'the last minutes are live',
        aim: 'within 5 s',
        met: spread(viewOf('liveMs')).max < 5000,
      },
    ],
  },
  flags.json,
)
