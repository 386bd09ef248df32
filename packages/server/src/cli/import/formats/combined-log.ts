import { createHmac } from 'node:crypto'
import { isIP } from 'node:net'
import { type EventInput, FIELD_LIMITS } from '@nowcast/protocol'
import { type LogLine, parseCombinedLog } from './parse-combined-log.ts'
import { createLineReader, type RecordReader } from './record-reader.ts'

/** Files that belong to a page: requests for them are no page views. */
const ASSET =
  /\.(?:css|m?js|map|json|wasm|png|jpe?g|gif|svgz?|webp|avif|bmp|ico|cur|woff2?|ttf|otf|eot|mp[34]|m4[av]|webm|og[gv]|wav|flac|zip|t?gz|bz2|xz|7z|rar|exe|dmg|deb|rpm|jar|iso)$/i
const ROBOTS = '/robots.txt'
/** Visitors that are remembered, so that each is hashed once in a while only. */
const VISITORS = 50_000

/**
 * Reads access logs: 5xx is `error`, GET below 400 of anything that is no asset `page_view`, all else `request`.
 * A visitor is client address and user agent, hashed with `secret`, so that nobody without it can find the address
 * by trying them all; the address itself is sent for the country only.
 * @param afterLine the last line that is imported already
 */
export function createCombinedLogReader(secret: string, afterLine = 0): RecordReader {
  const visitors = new Map<string, Pick<EventInput, 'anonymousId' | 'context'>>()

  function visitorOf({ client, userAgent }: LogLine): Pick<EventInput, 'anonymousId' | 'context'> {
    const name = userAgent === undefined ? client : `${client}\n${userAgent}`
    const known = visitors.get(name)
    if (known) return known
    const anonymousId = createHmac('sha256', secret).update(name).digest('base64url').slice(0, 22)
    const context: EventInput['context'] = {}
    if (isIP(client) > 0) context.ip = client
    if (userAgent !== undefined) context.userAgent = userAgent.slice(0, FIELD_LIMITS.userAgent)
    if (visitors.size >= VISITORS) visitors.clear()
    const visitor = { anonymousId, context }
    visitors.set(name, visitor)
    return visitor
  }

  return createLineReader((text) => {
    const line = parseCombinedLog(text)
    if (typeof line === 'string') return { rejection: { code: 'not_a_log_line', message: line } }
    const visitor = visitorOf(line)
    const event: EventInput = {
      name: nameOf(line),
      timestamp: line.timestamp,
      anonymousId: visitor.anonymousId,
      context: visitor.context,
      properties: { status: line.status, bytes: line.bytes, method: line.method },
    }
    if (line.target !== undefined) {
      const isPath = line.origin !== undefined && line.target.startsWith('/')
      event.url = (isPath ? line.origin + line.target : line.target).slice(0, FIELD_LIMITS.url)
    }
    if (line.referrer !== undefined) event.referrer = line.referrer.slice(0, FIELD_LIMITS.referrer)
    return { event }
  }, afterLine)
}

function nameOf({ status, method, target }: LogLine): string {
  if (status >= 500) return 'error'
  if (method !== 'GET' || status >= 400 || target === undefined) return 'request'
  const query = target.search(/[?#]/)
  const path = query < 0 ? target : target.slice(0, query)
  return path === ROBOTS || ASSET.test(path) ? 'request' : 'page_view'
}
