import { NowcastError } from '../../errors.ts'

/** What an answer or a connection's error begins with or holds, and what to do about it. */
const CAUSES: [pattern: RegExp, advice: string, isRetryable: boolean][] = [
  [/^OOM /, 'its memory is full: raise maxmemory, or remove other keys; nothing is lost, events wait in the log', true],
  [
    /^READONLY /,
    'it is a replica that takes no writes: give the address of the master, or of Sentinel (redis+sentinel://…)',
    true,
  ],
  [/^(WRONGPASS|ERR invalid password)/, 'user or password are wrong: check those in --redis', false],
  [/^(NOAUTH|ERR Client sent AUTH)/, 'it wants other credentials: check user and password in --redis', false],
  [
    /^NOPERM|user executing the script/,
    'the user lacks rights: give it ~nowcast:* &nowcast:* +@read +@write +@scripting +@connection +@pubsub +info +time +cluster|slots +cluster|info',
    true,
  ],
  [/^LOADING/, 'it is still loading its data', true],
  [/^BUSY /, 'a script of another program runs for too long', true],
  [/^MISCONF/, 'it cannot save its data to disk and refuses writes: see its log', true],
  [/^(CLUSTERDOWN|MASTERDOWN|TRYAGAIN)/, 'a part of it is down: see CLUSTER INFO', true],
  [
    /^WRONGTYPE|hash value is not an integer|not a valid HyperLogLog/,
    'another program has written to keys that begin with nowcast: — give Nowcast a database or a server of its own',
    true,
  ],
  [/nothing answers/, 'check host, port and firewall, and whether it speaks TLS (rediss://) or not (redis://)', true],
  [/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|ECONNRESET|EPIPE|EAI_AGAIN/, 'check that it runs, and --redis', true],
  [
    /self.signed|certificate|SSL|wrong version number/i,
    'TLS failed: check certificates (NODE_EXTRA_CA_CERTS) and whether rediss:// is meant',
    true,
  ],
  [
    /sentinels? (are|is) unreachable/i,
    'no Sentinel answers, or none knows the name of the master: check --redis',
    true,
  ],
]

/** What callers can do about a failure of Redis. @param doing what was tried, for the message */
export function redisFailure(error: unknown, doing: string, lastError?: string): NowcastError {
  if (error instanceof NowcastError) return error
  const own = messageOf(error)
  // A command that found no connection says nothing of why there is none.
  const text =
    lastError !== undefined && /writeable|closed|Command timed out|failed to refresh/i.test(own) ? lastError : own
  const cause = CAUSES.find(([pattern]) => pattern.test(text))
  const advice = cause ? `: ${cause[1]}` : ''
  return new NowcastError('hot_store_unavailable', `Redis failed while ${doing}${advice} (${text})`, {
    retryable: cause?.[2] ?? true,
    cause: error,
  })
}

/** The message of the error inside: a cluster's own says only that all nodes failed. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { lastNodeError, errors } = error as { lastNodeError?: Error; errors?: Error[] }
  if (lastNodeError) return messageOf(lastNodeError)
  return error.message || errors?.map(messageOf).join(', ') || error.name
}
