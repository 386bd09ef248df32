import { createHash } from 'node:crypto'
import { NowcastError } from '../../errors.ts'
import type { DruidConnection } from './druid-connection.ts'

const STRINGS = [
  ...['project', 'name', 'cell_name', 'cell_country', 'cell_device', 'cell_category', 'hot1', 'hot2', 'unconverted'],
  ...['id', 'user_id', 'anonymous_id', 'session_id', 'url', 'path', 'referrer', 'referrer_host', 'title'],
  ...['category', 'country', 'device', 'browser', 'os', 'locale', 'utm_source', 'utm_medium', 'utm_campaign'],
  ...['amount', 'currency', 'properties'],
]
const LONGS = ['log_epoch', 'log_partition', 'log_offset', 'received_at', 'revenue', 'user_hash', 'session_hash']
/** Rows that Druid may be behind before it is said, about. */
const MOST_LAG = 100_000

/** What Druid's own consumer of the topic needs to know. */
export interface SupervisorOptions {
  /** The topic; the datasource and its supervisor bear the same name. */
  topic: string
  /** Properties of Kafka's Java client. */
  consumerProperties: Readonly<Record<string, string>>
}

/** What a supervisor says of itself. */
interface SupervisorStatus {
  payload: {
    state: string
    detailedState: string
    suspended: boolean
    aggregateLag?: number
    recentErrors?: { exceptionClass?: string; message?: string }[]
  }
}

/**
 * The specification of the supervisor that reads the topic. No row is rolled up: figures that are compared with the
 * log's offsets need each of them, and Druid adds up millions in the time that a question has.
 */
function supervisorSpec({ topic, consumerProperties }: SupervisorOptions) {
  const long = (name: string) => ({ type: 'long', name })
  // What is asked for by few is found by reading it: an index of it would be larger than itself.
  const plain = (name: string) => ({ type: 'string', name, createBitmapIndex: name !== 'properties' && name !== 'id' })
  const spec = {
    dataSchema: {
      dataSource: topic,
      timestampSpec: { column: 'ts', format: 'millis' },
      dimensionsSpec: { dimensions: [...STRINGS.map(plain), ...LONGS.map(long)] },
      metricsSpec: [],
      granularitySpec: { type: 'uniform', segmentGranularity: 'DAY', queryGranularity: 'NONE', rollup: false },
    },
    ioConfig: {
      topic,
      inputFormat: { type: 'json' },
      // What a transaction left open or aborted is none of ours.
      consumerProperties: { ...consumerProperties, 'isolation.level': 'read_committed' },
      taskCount: 1,
      replicas: 1,
      taskDuration: 'PT1H',
      useEarliestOffset: true,
    },
    tuningConfig: { type: 'kafka', logParseExceptions: true },
  }
  const fingerprint = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)
  return { type: 'kafka', spec, context: { nowcast: fingerprint } }
}

/** The supervisor in Druid that reads the topic. */
export interface Supervisor {
  /** Makes it, or brings it to this version; what an operator has changed in ours stays. */
  keep(): Promise<void>
  /** What keeps it from reading; undefined when all is well. @throws NowcastError `archive_unavailable` */
  problem(): Promise<string | undefined>
}

export function createSupervisor(connection: DruidConnection, options: SupervisorOptions): Supervisor {
  const { topic } = options
  const path = `/druid/indexer/v1/supervisor/${encodeURIComponent(topic)}`

  return {
    async keep() {
      const doing = 'looking at the supervisor'
      const wanted = supervisorSpec(options)
      const found = await connection.call<{ context?: { nowcast?: string } }>('GET', path, doing)
      if (found?.context?.nowcast === wanted.context.nowcast) return
      const made = await connection.call('POST', '/druid/indexer/v1/supervisor', 'making the supervisor', wanted)
      if (made) return
      throw new NowcastError(
        'archive_unavailable',
        'Druid knows no supervisors at this address: --druid is the address of its router, with druid.router.managementProxy.enabled=true, and druid-kafka-indexing-service in its druid.extensions.loadList',
      )
    },
    async problem() {
      const status = await connection.call<SupervisorStatus>('GET', `${path}/status`, 'looking at the supervisor')
      if (!status) return `Druid has no supervisor ${topic}: a start of a process with the role archive makes it`
      const { state, detailedState, suspended, aggregateLag = 0, recentErrors = [] } = status.payload
      const waits = 'events wait in Kafka, for as long as its topic keeps them'
      if (suspended) return `the supervisor ${topic} is suspended in Druid: resume it; ${waits}`
      if (!['RUNNING', 'PENDING', 'IDLE'].includes(state)) {
        const last = recentErrors.at(-1)
        const why = last ? ` (${last.message ?? last.exceptionClass})` : ''
        return `the supervisor ${topic} is ${detailedState} in Druid${why}: see Supervisors in its console; ${waits}`
      }
      if (aggregateLag > MOST_LAG) {
        return `Druid is ${aggregateLag} rows behind the topic ${topic}: raise taskCount in its supervisor; ${waits}`
      }
      return undefined
    },
  }
}
