import { randomUUID } from 'node:crypto'
import { type EventRejectionCode, LIMITS, NONE } from '@nowcast/protocol'
import type { EventLog } from '../ports/event-log.ts'
import type { Project } from '../project.ts'
import type { Cell } from '../record/cell.ts'
import { formatDecimal, parseDecimal, UNITS } from '../record/decimal.ts'
import { murmur3 } from '../record/murmur3.ts'
import { partitionKey, partitionOf } from '../record/partition-of.ts'
import type { StampedEvent } from '../record/record-batch-builder.ts'
import { murmurHash64A } from '../sketch/murmur-hash-64a.ts'
import type { CellBounds } from './cell-bounds.ts'
import type { Origin } from './enrich/origin-of-event.ts'
import { hostOfReferrer, type KeptParameters, pageOfUrl } from './enrich/page-of-url.ts'
import type { ShapedEvent } from './event-schema.ts'
import { clockSkew, eventTime, parseTimestamp } from './event-time.ts'
import type { AppendGroup } from './group-appender.ts'
import { asIs, escaped, isNestedAtMost, stringifyWellFormed } from './json-text.ts'
import type { KeyKind } from './project-keys.ts'
import { revenueInProjectCurrency } from './revenue-in-project-currency.ts'

const CONTROL = /\p{Cc}/u
const CONTROLS = /\p{Cc}/gu
const ID_SEED = 0x1d
/** Characters of a value of a project's own dimension. */
const HOT_VALUE = 256

/** What all events of a request share. */
export interface BatchFacts {
  project: Project
  kind: KeyKind
  receivedAt: number
  sentAt: number | undefined
  /** Events before this time are not kept, epoch ms. */
  keptFrom: number
  /** See `BatchRequest.isPlain`. */
  isPlain: boolean
  /** How their rows begin, up to the event's time. */
  rowHead: string
}

export interface EventProblem {
  code: EventRejectionCode
  message: string
}

/**
 * Writes into an event's record everything that is not a pure function of it, so that the log's readers need no clock
 * and decide nothing.
 */
export interface EventStamper {
  /** Adds the event to its partition in `group`; answers what is wrong with it, undefined when it was added. */
  stamp(event: ShapedEvent, origin: Origin, facts: BatchFacts, group: AppendGroup): EventProblem | undefined
}

/** A stamper for a log, which need not be open yet. */
export function createEventStamper(bounds: CellBounds, log: Pick<EventLog, 'partitions'>): EventStamper {
  const stamped: StampedEvent = {
    key: '',
    receivedAt: 0,
    time: 0,
    revenue: undefined,
    cell: undefined as unknown as Cell,
    row: '',
  }

  function stamp(event: ShapedEvent, origin: Origin, facts: BatchFacts, group: AppendGroup): EventProblem | undefined {
    const { project, kind, receivedAt } = facts
    const inner = facts.isPlain ? asIs : escaped
    const { name } = event
    if (CONTROL.test(name)) return problem('invalid_name', 'name must not hold control characters')
    const category = event.category || NONE
    if (CONTROL.test(category)) return problem('invalid_category', 'category must not hold control characters')
    const userId = event.userId ?? ''
    const anonymousId = event.anonymousId ?? ''
    const user = userId || anonymousId
    if (user === '') return problem('missing_user', 'an event needs userId or anonymousId')

    let time = receivedAt
    if (event.timestamp !== undefined && event.timestamp !== null) {
      const timestamp = parseTimestamp(event.timestamp)
      if (timestamp === undefined) {
        return problem('invalid_timestamp', 'timestamp must be epoch milliseconds or ISO 8601, from 1970 on')
      }
      time = eventTime(timestamp, clockSkew(facts.sentAt, receivedAt), receivedAt)
      if (kind === 'write' && time < receivedAt - LIMITS.publicAgeMs) {
        return problem('timestamp_too_old', 'timestamp is more than 7 days ago: send it with the secret key')
      }
      if (time < facts.keptFrom) {
        const from = new Date(facts.keptFrom).toISOString()
        return problem('timestamp_too_old', `events from before ${from} are not kept any more (rawRetentionMonths)`)
      }
    }

    let money = ''
    let revenue: number | undefined
    let unconverted = ''
    if (event.revenue !== undefined && event.revenue !== null) {
      if (project.trustedRevenue && kind === 'write') {
        return problem('untrusted_revenue', 'this project accepts revenue with the secret key only')
      }
      const amount = parseDecimal(event.revenue)
      if (amount === undefined || Math.abs(amount) > LIMITS.revenue * UNITS) {
        return problem(
          'invalid_revenue',
          `revenue must be a plain decimal with at most 4 places, between -${LIMITS.revenue} and ${LIMITS.revenue}`,
        )
      }
      const currency = event.currency ?? project.currency
      revenue = revenueInProjectCurrency(amount, currency, project)
      money = `,"amount":"${formatDecimal(amount)}","currency":"${currency}"`
      if (revenue === undefined) {
        unconverted = currency
        money += `,"unconverted":"${currency}"`
      } else {
        money += `,"revenue":"${formatDecimal(revenue)}"`
      }
    }

    let properties = ''
    if (event.properties) {
      if (!isNestedAtMost(event.properties, LIMITS.propertiesDepth)) {
        return problem('invalid_properties', `properties must be nested at most ${LIMITS.propertiesDepth} deep`)
      }
      properties = facts.isPlain ? JSON.stringify(event.properties) : stringifyWellFormed(event.properties)
      if (properties.length * 3 > LIMITS.propertiesBytes && Buffer.byteLength(properties) > LIMITS.propertiesBytes) {
        return problem('invalid_properties', `properties must be at most ${LIMITS.propertiesBytes} bytes of JSON`)
      }
    }

    const { country, device } = origin
    const [firstDimension, secondDimension] = project.hotDimensions
    const hot1 = firstDimension === undefined ? '' : hotValue(event.properties, firstDimension)
    const hot2 = secondDimension === undefined ? '' : hotValue(event.properties, secondDimension)
    const cell = bounds.cellOf({ project: project.id, name, country, device, category, hot1, hot2, unconverted })
    const id = event.id ?? randomUUID()
    const sessionId = event.sessionId ?? ''

    // Each piece begins with the quote that ends the one before: a row of half as many pieces costs half as much.
    let row = `${facts.rowHead}${time},"id":"${inner(id)}","name":"${inner(name)}`
    if (userId) row += `","user_id":"${inner(userId)}`
    if (anonymousId) row += `","anonymous_id":"${inner(anonymousId)}`
    if (sessionId) row += `","session_id":"${inner(sessionId)}`
    if (event.url) row += pageFields(event.url, project.keepQueryParameters, inner)
    if (event.referrer) row += referrerFields(event.referrer, project.keepQueryParameters, inner)
    if (event.title) row += `","title":"${inner(event.title)}`
    if (hot1) row += `","hot1":"${inner(cell.hot1)}`
    if (hot2) row += `","hot2":"${inner(cell.hot2)}`
    if (cell.name !== name) row += `","cell_name":"${inner(cell.name)}`
    if (cell.country !== country) row += `","cell_country":"${inner(cell.country)}`
    if (cell.category !== category) row += `","cell_category":"${inner(cell.category)}`
    row += `","category":"${inner(category)}"${origin.fields}${money}`
    row += properties ? `,"properties":${properties}}` : '}'

    const key = partitionKey(project.id, anonymousId || userId)
    const builder = group.builder(partitionOf(key, log.partitions))
    const { count } = builder
    murmur3(`${project.id}\0${id}`, ID_SEED, builder.ids, count * 3)
    murmurHash64A(user, builder.users, count * 2)
    if (sessionId) murmurHash64A(sessionId, builder.sessions, count * 2)
    else builder.sessions.fill(0, count * 2, count * 2 + 2)
    stamped.key = key
    stamped.receivedAt = receivedAt
    stamped.time = time
    stamped.revenue = revenue
    stamped.cell = cell
    stamped.row = row
    builder.add(stamped)
    return undefined
  }

  return { stamp }
}

function pageFields(url: string, kept: KeptParameters, inner: typeof escaped): string {
  const page = pageOfUrl(url, kept)
  // Campaign parameters are decoded, so they may hold anything; in the URL they are encoded again.
  let fields = `","url":"${inner(page.url)}","path":"${inner(page.path)}`
  if (page.utmSource) fields += `","utm_source":"${escaped(page.utmSource)}`
  if (page.utmMedium) fields += `","utm_medium":"${escaped(page.utmMedium)}`
  if (page.utmCampaign) fields += `","utm_campaign":"${escaped(page.utmCampaign)}`
  return fields
}

function referrerFields(referrer: string, kept: KeptParameters, inner: typeof escaped): string {
  return `","referrer":"${inner(pageOfUrl(referrer, kept).url)}","referrer_host":"${inner(hostOfReferrer(referrer))}`
}

function hotValue(properties: ShapedEvent['properties'], dimension: string): string {
  if (!properties || !Object.hasOwn(properties, dimension)) return NONE
  const value = (properties as Record<string, unknown>)[dimension]
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return NONE
  return String(value).replace(CONTROLS, ' ').slice(0, HOT_VALUE).toWellFormed() || NONE
}

function problem(code: EventRejectionCode, message: string): EventProblem {
  return { code, message }
}
