import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'
import { type Connection, hintsOfHeaders } from '../ingest/ingest.ts'

/** Which proxies are believed: none, so many in front of us, or those in these subnets (CIDR). */
export type TrustProxy = boolean | number | string[]

/** Country headers of CDNs. */
const COUNTRY_HEADERS = [
  'cf-ipcountry',
  'x-vercel-ip-country',
  'cloudfront-viewer-country',
  'fastly-client-country',
  'x-appengine-country',
  'cdn-requestcountrycode',
]
const COUNTRY = /^[A-Z]{2}$/
/** What CDNs say when they do not know, or for Tor. */
const NO_COUNTRY = new Set(['XX', 'T1', 'ZZ'])

/** Reads address, agent and country of a request's client. */
export function createConnectionOf(trustProxy: TrustProxy): (context: Context) => Connection {
  const clientOf = clientFinder(trustProxy)
  return (context) => {
    const socketIp = (context.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress
    const { ip, isProxied } = clientOf(socketIp, context.req.header('x-forwarded-for'))
    const userAgent = context.req.header('user-agent')?.slice(0, 1024)
    const hints = hintsOfHeaders((name) => context.req.header(name))
    return { ip, userAgent, country: isProxied ? countryHeader(context) : undefined, hints }
  }
}

interface Client {
  ip: string | undefined
  /** Whether a believed proxy stands in front. */
  isProxied: boolean
}

function clientFinder(trustProxy: TrustProxy): (socketIp: string | undefined, forwarded: string | undefined) => Client {
  if (trustProxy === false || trustProxy === 0) return (ip) => ({ ip, isProxied: false })
  const isTrusted = Array.isArray(trustProxy) ? subnetCheck(trustProxy) : undefined
  const hops = trustProxy === true ? 1 : typeof trustProxy === 'number' ? trustProxy : Number.POSITIVE_INFINITY
  return (socketIp, forwarded) => {
    const chain = forwarded ? forwarded.split(',').map(addressOf) : []
    chain.push(socketIp)
    // From our side outwards: each believed proxy vouches for the address before it. What is no address stays in its
    // place, so that nothing a client writes moves the others.
    let at = chain.length - 1
    for (let hop = 0; at > 0 && hop < hops; hop++, at--) if (isTrusted && !isTrusted(chain[at] ?? '')) break
    const isProxied = isTrusted ? isTrusted(socketIp ?? '') : chain.length > 1
    return { ip: chain[at], isProxied }
  }
}

/** An address of X-Forwarded-For, which some proxies write with its port; undefined for anything else. */
function addressOf(part: string): string | undefined {
  const text = part.trim()
  if (isIP(text) !== 0) return text
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1]
  return bare !== undefined && isIP(bare) !== 0 ? bare : undefined
}

function subnetCheck(subnets: readonly string[]): (ip: string) => boolean {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', prefix] = subnet.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (ip) => {
    const bare = /^::ffff:(?=\d+\.)/i.test(ip) ? ip.slice(7) : ip
    const family = isIP(bare)
    return family !== 0 && list.check(bare, family === 6 ? 'ipv6' : 'ipv4')
  }
}

function countryHeader(context: Context): string | undefined {
  for (const name of COUNTRY_HEADERS) {
    const value = context.req.header(name)?.toUpperCase()
    if (value && COUNTRY.test(value) && !NO_COUNTRY.has(value)) return value
  }
  return undefined
}

const LOOPBACK = subnetCheck(['127.0.0.0/8', '::1'])

/** Whether an address is this machine itself. */
export function isLoopback(ip: string | undefined): boolean {
  return ip !== undefined && isIP(ip) !== 0 && LOOPBACK(ip)
}
