import { setTimeout as sleep } from 'node:timers/promises'
import { bundleServer } from './measure/bundle.mjs'
import { startChild } from './measure/child.mjs'
import { readFlags, report, spread } from './measure/report.mjs'

/*
 * From a tick of the server to the last of many viewers: real Socket.IO clients in other processes, a hundred different
 * questions that all change at each tick. The limit is `ws`, which sends as many bytes to as many clients in as many
 * groups, and does nothing else. Viewers and server share the machine: what Socket.IO's client takes of it is seen by
 * viewers that do without.
 */

const flags = readFlags({ clients: 10_000, queries: 100, seconds: 20, processes: 4 })
const { clients, queries, seconds, processes } = flags
const bundle = await bundleServer('fanout-server')

async function measure(what, { bare = false } = {}) {
  const server = startChild(bundle, ['--expose-gc'])
  const viewers = Array.from({ length: processes }, () => startChild(new URL('./load/viewers.mjs', import.meta.url)))
  try {
    const started = await server.ask(what)
    const url = `http://127.0.0.1:${started.port}`
    const empty = await server.ask('usage')
    const share = Math.ceil(clients / processes)
    const connect = (child, i) =>
      child.ask({ url, token: started.token, bare, first: i * share, count: share, queries })
    const connectedAt = performance.now()
    await Promise.all(viewers.map(connect))
    const connectMs = performance.now() - connectedAt
    await sleep(5000) // what connecting has left behind
    const full = await server.ask('usage')
    await Promise.all(viewers.map((child) => child.ask('listen')))
    await sleep(seconds * 1000)
    const heard = await Promise.all(viewers.map((child) => child.ask('heard')))
    const after = await server.ask('usage')
    const bySecond = new Map()
    for (const { seconds: own } of heard)
      for (const [second, { messages, lastMs }] of own) {
        const found = bySecond.get(second) ?? { messages: 0, lastMs: 0 }
        bySecond.set(second, { messages: found.messages + messages, lastMs: Math.max(found.lastMs, lastMs) })
      }
    // The first and the last second are cut.
    const whole = [...bySecond]
      .sort(([a], [b]) => a - b)
      .slice(1, -1)
      .map(([, one]) => one)
    const messages = whole.reduce((sum, one) => sum + one.messages, 0)
    return {
      connectMs,
      lastMs: whole.map((one) => one.lastMs),
      messagesASecond: messages / whole.length,
      cpuShare: (after.cpuMs - full.cpuMs) / (seconds * 10),
      bytesAClient: (full.rssBytes - empty.rssBytes) / clients,
      liveBytes: after.liveBytes - full.liveBytes,
    }
  } finally {
    await Promise.all([...viewers, server].map((child) => child.stop()))
  }
}

const live = await measure('nowcast')
// What the server's deltas have, encoded once a question and second.
const bytes = Math.round(live.liveBytes / queries / seconds)
console.error(`${clients} viewers of ${queries} questions, ${bytes} bytes a delta; now plain ws`)
const plain = await measure({ ws: Math.max(60, bytes) })
console.error('now viewers without Socket.IO’s client')
const bare = await measure('nowcast', { bare: true })
const last = spread(live.lastMs)
const limit = spread(plain.lastMs)
const ratio = last.median / limit.median
report(
  {
    bench: 'fanout',
    setup: { clients, queries, seconds, processes, bytes },
    rows: [
      { what: 'from tick to last viewer', unit: 'ms', readings: live.lastMs },
      { what: 'limit: plain ws, the same bytes', unit: 'ms', readings: plain.lastMs },
      { what: 'times the limit', unit: '×', readings: [ratio], digits: 2 },
      { what: 'to the last viewer without Socket.IO’s client', unit: 'ms', readings: bare.lastMs },
      { what: '… times the limit', unit: '×', readings: [spread(bare.lastMs).median / limit.median], digits: 2 },
      { what: 'messages', unit: 'a second', readings: [live.messagesASecond] },
      { what: 'messages of plain ws', unit: 'a second', readings: [plain.messagesASecond] },
      { what: 'CPU of the server', unit: '% of a core', readings: [live.cpuShare] },
      { what: 'CPU of plain ws', unit: '% of a core', readings: [plain.cpuShare] },
      { what: 'memory of the server', unit: 'KB a client', readings: [live.bytesAClient / 1024], digits: 1 },
      { what: 'memory of plain ws', unit: 'KB a client', readings: [plain.bytesAClient / 1024], digits: 1 },
      { what: 'time to connect all', unit: 's', readings: [live.connectMs / 1000], digits: 1 },
    ],
    aims: [
      { what: `last viewer after ${Math.round(last.median)} ms`, aim: '(≤ 1,000)', met: last.median <= 1000 },
      { what: `${ratio.toFixed(1)} × plain ws`, aim: '(≤ 2)', met: ratio <= 2 },
      {
        what: `${(live.bytesAClient / 1024).toFixed(0)} KB a client`,
        aim: '(≤ 20)',
        met: live.bytesAClient / 1024 <= 20,
      },
    ],
  },
  flags.json,
)
