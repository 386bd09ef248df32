import type { LiveDelta, LiveSnapshot, Point, SeriesAnswer } from '@nowcast/protocol'
import { io } from 'socket.io-client'
import { type ProjectKeys, readTokenOf } from '../../servers/known-projects.ts'
import { ask } from '../../servers/requests.ts'

const HOUR_MS = 3_600_000
/** Only closed, settled minutes are compared. */
const QUERY = { kind: 'series', metric: 'events', granularity: 'minute', range: { last: '24h' } }

/** Somebody who watches a series all along, and comes back when the connection is lost. */
export interface LiveViewer {
  /** Minutes in which what was watched is not what a fresh question answers. */
  differences(): Promise<string[]>
  /** How often it had to subscribe. */
  readonly subscriptions: number
  stop(): void
}

/** Watches the events of 24 hours through a query node. */
export function startLiveViewer(url: string, project: ProjectKeys): LiveViewer {
  let held: { id: string; revision: number; points: Map<number, Point> } | undefined
  let subscriptions = 0
  const socket = io(url, {
    path: '/live',
    transports: ['websocket'],
    reconnectionDelayMax: 500,
    auth: (send) => send({ token: readTokenOf(project) }),
  })

  function take({ id, revision, snapshot }: LiveSnapshot): void {
    const points = (snapshot as SeriesAnswer).series[0]?.points ?? []
    held = { id, revision, points: new Map(points.map((point) => [point.t, point])) }
  }

  async function subscribe(): Promise<void> {
    held = undefined
    while (socket.connected && !held) {
      subscriptions++
      const ack = await socket
        .timeout(5000)
        .emitWithAck('subscribe', QUERY)
        .catch(() => undefined)
      if (ack && !('error' in ack)) take(ack)
      else await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  socket.on('connect', () => void subscribe())
  socket.on('disconnect', () => {
    held = undefined
  })
  socket.on('snapshot', (message: LiveSnapshot) => {
    if (message.id === held?.id) take(message)
  })
  socket.on('delta', (delta: LiveDelta) => {
    if (!held || delta.id !== held.id || delta.revision <= held.revision) return
    if (delta.revision > held.revision + 1) return void subscribe()
    held.revision = delta.revision
    for (const point of delta.series?.[0]?.points ?? []) held.points.set(point.t, point)
  })

  return {
    get subscriptions() {
      return subscriptions
    },
    async differences() {
      const { series } = await ask<SeriesAnswer>(url, readTokenOf(project), QUERY)
      const differences: string[] = []
      if (!held) return ['the viewer has no subscription']
      for (const { t, v } of series[0]?.points ?? []) {
        if (t < Date.now() - 23 * HOUR_MS) continue
        const seen = held.points.get(t)?.v ?? 0
        if (seen !== v) differences.push(`${new Date(t).toISOString()}: watched ${seen}, asked ${v}`)
      }
      return differences
    },
    stop: () => socket.disconnect(),
  }
}
