import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface IngestMetrics {
  accepted(project: string, events: number): void
  rejected(project: string, code: string): void
  /** Refused events that are counted and not kept. */
  unkept(events: number): void
}

/** The server's own figures, as Prometheus reads them. */
export interface Telemetry {
  registry: Registry
  ingest: IngestMetrics
  /** Durations of HTTP answers, s. */
  requests: Histogram<'route' | 'status'>
  duplicates: Counter<'stage'>
  processed: Counter<'stage'>
  cut: Counter<'stage'>
  assignments: Counter<'stage'>
  foreignRecords: Counter<'partition'>
  /** Identities that a stage had to know before it could go on, by where they were read. */
  identitiesRead: Counter<'source'>
  identityFileProblems: Counter
  retiredMonths: Counter<'step'>
  /** Events of months that were rolled up before they came. */
  strayEvents: Gauge
  /** Offsets behind the end of the log. */
  lag: Gauge<'stage' | 'partition'>
  /** Reach of the duplicate rule today, s. */
  dedupeWindow: Gauge<'partition'>
  /** Is told how to count the readings of the archive that wait for their turn. */
  queriesWaiting(count: () => number): void
  liveSubscriptions: Gauge
  liveRooms: Gauge
  liveConnections: Gauge
  liveTick: Histogram
  /** How much later than its time a live question is answered, s. */
  liveLag: Histogram
  liveBytes: Counter
  /** Readers that could not keep up. */
  liveSlow: Counter
}

/** Metrics in a registry of their own, so that several servers fit in one process. */
export function createTelemetry(): Telemetry {
  const registry = new Registry()
  const registers = [registry]
  const accepted = new Counter({
    name: 'nowcast_events_accepted_total',
    help: 'Durable events',
    labelNames: ['project'],
    registers,
  })
  const rejected = new Counter({
    name: 'nowcast_events_rejected_total',
    help: 'Refused events',
    labelNames: ['project', 'code'],
    registers,
  })
  const unkept = new Counter({
    name: 'nowcast_rejected_unkept_total',
    help: 'Refused events that are counted and not kept for showing',
    registers,
  })
  return {
    registry,
    ingest: {
      accepted: (project, events) => accepted.inc({ project }, events),
      rejected: (project, code) => rejected.inc({ project, code }),
      unkept: (events) => unkept.inc(events),
    },
    requests: new Histogram({
      name: 'nowcast_http_request_seconds',
      help: 'Time to answer an HTTP request',
      labelNames: ['route', 'status'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    duplicates: new Counter({
      name: 'nowcast_duplicates_total',
      help: 'Events taken out as repeats',
      labelNames: ['stage'],
      registers,
    }),
    processed: new Counter({
      name: 'nowcast_events_processed_total',
      help: 'Events read from the log',
      labelNames: ['stage'],
      registers,
    }),
    cut: new Counter({
      name: 'nowcast_log_cut_total',
      help: 'Offsets gone from the log before they were read',
      labelNames: ['stage'],
      registers,
    }),
    assignments: new Counter({
      name: 'nowcast_assignments_total',
      help: 'Times that the partitions of this process changed',
      labelNames: ['stage'],
      registers,
    }),
    foreignRecords: new Counter({
      name: 'nowcast_log_foreign_records_total',
      help: 'Records of the topic that somebody else wrote, passed over',
      labelNames: ['partition'],
      registers,
    }),
    identitiesRead: new Counter({
      name: 'nowcast_identities_read_total',
      help: 'Identities of earlier events that were read before a stage went on',
      labelNames: ['source'],
      registers,
    }),
    identityFileProblems: new Counter({
      name: 'nowcast_identity_file_problems_total',
      help: 'Files of identities that were not believed or not written: the log is read instead',
      registers,
    }),
    retiredMonths: new Counter({
      name: 'nowcast_retired_months_total',
      help: 'Months that were rolled up, whose events were dropped, whose hours were forgotten',
      labelNames: ['step'],
      registers,
    }),
    strayEvents: new Gauge({
      name: 'nowcast_stray_events',
      help: 'Events that came although their month was rolled up, and are not counted',
      registers,
    }),
    lag: new Gauge({
      name: 'nowcast_lag_offsets',
      help: 'Offsets behind the end of the log',
      labelNames: ['stage', 'partition'],
      registers,
    }),
    dedupeWindow: new Gauge({
      name: 'nowcast_dedupe_window_seconds',
      help: 'How long ago a repeat is still recognised',
      labelNames: ['partition'],
      registers,
    }),
    queriesWaiting(count) {
      new Gauge({
        name: 'nowcast_queries_waiting',
        help: 'Readings of the archive that wait for their turn',
        registers,
        collect() {
          this.set(count())
        },
      })
    },
    liveSubscriptions: new Gauge({ name: 'nowcast_live_subscriptions', help: 'Live subscriptions', registers }),
    liveRooms: new Gauge({ name: 'nowcast_live_rooms', help: 'Distinct live queries', registers }),
    liveConnections: new Gauge({ name: 'nowcast_live_connections', help: 'Live connections', registers }),
    liveTick: new Histogram({
      name: 'nowcast_live_tick_seconds',
      help: 'Time of a pass over the live questions that are due; one that reads the archive is not waited for',
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
      registers,
    }),
    liveLag: new Histogram({
      name: 'nowcast_live_lag_seconds',
      help: 'How much later than its time a live question is answered',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    liveSlow: new Counter({
      name: 'nowcast_live_slow_readers_total',
      help: 'Readers that could not keep up and were dropped to snapshots',
      registers,
    }),
    liveBytes: new Counter({
      name: 'nowcast_live_bytes_total',
      help: 'Bytes of encoded live messages, before fan-out',
      registers,
    }),
  }
}
