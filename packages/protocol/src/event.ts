/** Event names with a meaning of their own; any other name is custom. */
export const STANDARD_EVENTS = ['page_view', 'click', 'purchase', 'error'] as const
export type StandardEvent = (typeof STANDARD_EVENTS)[number]

/** Values of the dimension `device`. */
export const DEVICES = ['desktop', 'mobile', 'tablet', 'tv', 'server', 'bot', 'other'] as const
/** Kind of device, as the dimension has it. */
export type Device = (typeof DEVICES)[number]

/** The value of a dimension that an event does not have. It can be filtered like any other. */
export const NONE = '(none)'
/** The value under which everything beyond a dimension's or a project's bound is counted. */
export const OTHER = '(other)'

/** Bounds on one request. */
export const LIMITS = {
  /** Bytes of a body as sent. */
  wireBytes: 1024 * 1024,
  /** Bytes of a body after inflation. */
  inflatedBytes: 8 * 1024 * 1024,
  /** Events in one batch. */
  batchEvents: 1000,
  /** Deepest nesting of `properties`. */
  propertiesDepth: 16,
  /** Bytes of `properties` as JSON. */
  propertiesBytes: 8 * 1024,
  /** How far an event may lie in the future before it gets the received time, in ms. */
  futureMs: 5 * 60_000,
  /** How old an event from a public key may be, in ms. */
  publicAgeMs: 7 * 24 * 3_600_000,
  /** Skew of the client's clock below which a timestamp is taken as it is, in ms. */
  skewMs: 1000,
  /** Largest absolute revenue of one event, in currency units. */
  revenue: 1_000_000_000,
} as const

/** Longest values of an event's fields, in UTF-16 code units. */
export const FIELD_LIMITS = {
  id: 64,
  name: 64,
  userId: 256,
  anonymousId: 256,
  sessionId: 256,
  url: 2048,
  referrer: 2048,
  title: 512,
  category: 256,
  currency: 3,
  userAgent: 1024,
  country: 64,
  browser: 64,
  os: 64,
  locale: 35,
  ip: 45,
} as const

/** Facts about where an event comes from. The first five are believed from a secret key only. */
export interface ContextInput {
  /** IPv4 or IPv6 address; used for the country, never stored. Secret key only. */
  ip?: string
  /** Secret key only. */
  userAgent?: string
  /** As `navigator.userAgentData` has it. Secret key only. */
  userAgentData?: { brands: { brand: string }[]; mobile: boolean; platform: string }
  /** ISO 3166-1 alpha-2. Secret key only. */
  country?: string
  /** Secret key only. */
  device?: Device
  browser?: string
  os?: string
  /** BCP 47. */
  locale?: string
}

/** One event as a client sends it. At least one of `userId` and `anonymousId` is needed. */
export interface EventInput {
  /** Unique per project; a repeat inside the duplicate window is counted once. Up to 64 characters. */
  id?: string
  /** 1–64 characters. */
  name: string
  /** Epoch ms or ISO 8601. @default received time */
  timestamp?: number | string
  userId?: string
  anonymousId?: string
  sessionId?: string
  url?: string
  referrer?: string
  title?: string
  /** Product category. */
  category?: string
  /** Number or decimal string with up to four places; negative for a refund. */
  revenue?: number | string
  /** ISO 4217. @default the project's currency */
  currency?: string
  /** Over the batch's own context. */
  context?: ContextInput
  /** Any JSON object, up to 8 KB. */
  properties?: Record<string, unknown>
}

/** Body of `POST /v1/events`. */
export interface EventBatch {
  /** Write key or secret key; needed here only when neither header nor `?key=` carries it. */
  key?: string
  /** The client's clock when it sent the batch, epoch ms: corrects skew. */
  sentAt?: number
  /** Defaults for every event of the batch. */
  context?: ContextInput
  events: EventInput[]
}

/** Why one event of a batch was refused. */
export const EVENT_REJECTION_CODES = [
  'invalid_event',
  'invalid_id',
  'invalid_name',
  'invalid_timestamp',
  'timestamp_too_old',
  'missing_user',
  'invalid_user',
  'invalid_session',
  'invalid_url',
  'invalid_referrer',
  'invalid_title',
  'invalid_category',
  'invalid_revenue',
  'untrusted_revenue',
  'invalid_currency',
  'invalid_context',
  'invalid_properties',
] as const
/** Why one event was refused, by its code. */
export type EventRejectionCode = (typeof EVENT_REJECTION_CODES)[number]

/** One event of a batch that was refused, and why. */
export interface RejectedEvent {
  /** Place in the batch, from 0. */
  index: number
  /** The event's own id, where it had a usable one. */
  id?: string
  code: EventRejectionCode
  /** A sentence that names the field and what it may hold. */
  message: string
}

/** Answer of `GET /v1/rejected`: refused events of the last week, newest first, as far as they were kept. */
export interface RejectedAnswer {
  project: string
  rejected: {
    /** Epoch ms. */
    receivedAt: number
    code: string
    message: string
    /** Place in its batch, from 0. */
    index: number
    /** The event as JSON; of a long one the field that is wrong. What is still too long is cut and ends with `…`. */
    event: string
  }[]
}

/** Answer of `GET /v1/project`. */
export interface ProjectAnswer {
  id: string
  name: string
  /** IANA. */
  timezone: string
  /** ISO 4217. */
  currency: string
  /**
   * Of browsers: whoever opens a page that sends events can read it there. Missing for a token with filters or metrics;
   * the secret key is never answered.
   */
  writeKey?: string
}

/** Answer of `POST /v1/events` with status 202: accepted events are durable. */
export interface IngestAnswer {
  accepted: number
  rejected: RejectedEvent[]
}
