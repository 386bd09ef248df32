import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type EventInput, type IngestAnswer, LIMITS, type RejectedEvent } from '@nowcast/protocol'

export const SECRET_KEY = 'nc_sec_test'

/** What happens to a request: `lost` resets the connection before the events are taken, `unanswered` after. */
export type Fault = 'unavailable' | 'limited' | 'lost' | 'unanswered' | 'slow' | undefined

export interface RecordingServer {
  url: string
  /** Ids that were accepted, each once. */
  ids: Set<string>
  /** Times an id came again. */
  repeats: number
  requests: number
  /** Senders whose events came out of order, by the line number in their ids. */
  disordered: string[]
  /** Requests in flight at most. */
  mostInFlight: number
  fault: (request: number) => Fault
  /** Called for each event that is new. */
  onEvent: (event: EventInput) => void
  /** The reason to refuse an event. */
  refuse: (event: EventInput) => Pick<RejectedEvent, 'code' | 'message'> | undefined
  close(): Promise<void>
}

/** A server that takes `POST /v1/events` as Nowcast does, remembers what it took, and fails on demand. */
export async function startRecordingServer(): Promise<RecordingServer> {
  const lastLines = new Map<string, number>()
  let inFlight = 0
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const fault = recording.fault(recording.requests++)
      recording.mostInFlight = Math.max(recording.mostInFlight, ++inFlight)
      response.on('close', () => inFlight--)
      if (request.url !== '/v1/events' || request.method !== 'POST') return refuse(response, 404, 'not_found')
      if (request.headers.authorization !== `Bearer ${SECRET_KEY}`) return refuse(response, 403, 'unknown_key')
      if (fault === 'unavailable') return refuse(response, 503, 'buffer_full', { 'retry-after': '0' })
      if (fault === 'limited') return refuse(response, 429, 'rate_limited', { 'retry-after': '0' })
      if (fault === 'lost') return request.socket.destroy()
      const body = Buffer.concat(parts)
      const { events } = JSON.parse(body.toString()) as { events: EventInput[] }
      if (body.length > LIMITS.wireBytes || events.length > LIMITS.batchEvents)
        return refuse(response, 413, 'body_too_large')
      const answer = take(events)
      if (fault === 'unanswered') return request.socket.destroy()
      setTimeout(() => send(response, answer, events.length), fault === 'slow' ? 30 : 0)
    })
  })

  function take(events: EventInput[]): IngestAnswer {
    const rejected: RejectedEvent[] = []
    for (const [index, event] of events.entries()) {
      const reason = recording.refuse(event)
      if (reason) {
        rejected.push({ index, id: event.id, ...reason })
        continue
      }
      const id = event.id!
      if (recording.ids.has(id)) {
        recording.repeats++
        continue
      }
      recording.ids.add(id)
      const sender = (event.anonymousId ?? event.userId)!
      const line = Number(id.split(':')[1])
      if ((lastLines.get(sender) ?? 0) > line) recording.disordered.push(sender)
      lastLines.set(sender, line)
      recording.onEvent(event)
    }
    return { accepted: events.length - rejected.length, rejected }
  }

  const recording: RecordingServer = {
    url: '',
    ids: new Set(),
    repeats: 0,
    requests: 0,
    disordered: [],
    mostInFlight: 0,
    fault: () => undefined,
    onEvent: () => {},
    refuse: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  recording.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return recording
}

function send(response: ServerResponse, answer: IngestAnswer, count: number): void {
  const isRefused = count > 0 && answer.accepted === 0
  const error = { code: 'all_rejected', message: 'Every event was rejected.' }
  response.writeHead(isRefused ? 400 : 202, { 'content-type': 'application/json' })
  response.end(JSON.stringify(isRefused ? { error, ...answer } : answer))
}

function refuse(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ error: { code, message: `Refused: ${code}.` } }))
}
