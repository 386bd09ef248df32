import { NowcastError } from '../../errors.ts'

export interface HostAndPort {
  host: string
  port: number
}

/** What `--redis` says. */
export interface RedisAddress {
  /** One server, or some nodes of a cluster; of Sentinel, its own addresses. */
  hosts: HostAndPort[]
  isTls: boolean
  username: string | undefined
  password: string | undefined
  /** Number of the database; 0 in a cluster. */
  db: number
  /** Name of the master that Sentinel watches. */
  sentinelMaster: string | undefined
  sentinelUsername: string | undefined
  sentinelPassword: string | undefined
}

const SCHEME = /^(rediss?)(\+sentinel)?:\/\/(?:(.*)@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/
const FORMS =
  'redis://user:password@host:6379/0, rediss://… for TLS, redis://node1:6379,node2:6379 for a cluster, or redis+sentinel://user:password@sentinel1:26379,sentinel2:26379/master-name'

/** Reads an address. @throws NowcastError `hot_store_unavailable` that shows the possible forms, and no password */
export function parseRedisAddress(url: string): RedisAddress {
  const match = SCHEME.exec(url.trim())
  if (!match) throw invalid('it is none of the known forms')
  const [, scheme, sentinel, login = '', hostList = '', path = '', search = ''] = match
  const defaultPort = sentinel ? 26379 : 6379
  const hosts = hostList.split(',').map((text) => parseHost(text, defaultPort))
  const colon = login.indexOf(':')
  const username = decode(colon < 0 ? login : login.slice(0, colon))
  const password = colon < 0 ? undefined : decode(login.slice(colon + 1))
  const parts = path.split('/').filter((part) => part !== '')
  const sentinelMaster = sentinel ? decode(parts.shift() ?? '') : undefined
  if (sentinel && !sentinelMaster) throw invalid('the name of the master is missing at its end')
  const parameters = new URLSearchParams(search)
  for (const name of parameters.keys()) {
    if (name !== 'sentinelUsername' && name !== 'sentinelPassword') throw invalid(`it has no parameter ${name}`)
  }
  const db = parts[0] ?? '0'
  if (!/^\d{1,5}$/.test(db) || parts.length > 1) throw invalid(`${parts.join('/')} is no number of a database`)
  return {
    hosts,
    isTls: scheme === 'rediss',
    username: username === '' ? undefined : username,
    password,
    db: Number(db),
    sentinelMaster,
    sentinelUsername: parameters.get('sentinelUsername') ?? undefined,
    sentinelPassword: parameters.get('sentinelPassword') ?? undefined,
  }
}

function parseHost(text: string, defaultPort: number): HostAndPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  if (!host) throw invalid(`${text} is no host and port`)
  return { host, port: Number(match?.[3] ?? defaultPort) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('user and password must be percent-encoded where they hold %, /, @ or :')
  }
}

const invalid = (why: string) =>
  new NowcastError('hot_store_unavailable', `the address of Redis cannot be used: ${why}. Write ${FORMS}`)
