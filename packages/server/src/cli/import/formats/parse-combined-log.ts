import { isIP } from 'node:net'

/** One line of a web server's access log. */
export interface LogLine {
  /** The virtual host's address, where the log has one: `https://shop.example`. */
  origin?: string
  /** Address of the client, or its name where the server looked it up. */
  client: string
  /** Epoch ms. */
  timestamp: number
  /** Absent when the request line is not one of HTTP. */
  method?: string
  /** The path as requested. */
  target?: string
  status: number
  bytes?: number
  referrer?: string
  userAgent?: string
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const TIME = /^(\d{2})\/(\w{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/
const STATUS = / (\d{3}) (\d+|-)(?= |$)/y
const REQUEST = /^([A-Za-z][A-Za-z_-]*) (.+?)(?: HTTP\/[\d.]+)?$/

/**
 * Parses Apache's and nginx's common and combined formats, with a virtual host in front or without.
 * A missing closing quote of the last field is forgiven; fields after the user agent are ignored.
 * @returns what is wrong with the line when client, time, request or status cannot be read
 */
export function parseCombinedLog(text: string): LogLine | string {
  const timeStart = text.indexOf(' [')
  const timeEnd = text.indexOf('] "', timeStart)
  if (timeStart < 1 || timeEnd < 0) return 'The line has no `[time] "request"`.'
  const timestamp = parseTime(text.slice(timeStart + 2, timeEnd))
  if (timestamp === undefined) return 'The time is not one like `17/May/2015:10:05:03 +0000`.'

  const requestEnd = closingQuote(text, timeEnd + 3)
  if (requestEnd < 0) return 'The request has no closing quote.'
  STATUS.lastIndex = requestEnd + 1
  const answer = STATUS.exec(text)
  if (!answer) return 'The request is not followed by a status and a size.'

  const line: LogLine = { client: '', timestamp, status: Number(answer[1]) }
  if (answer[2] !== '-') line.bytes = Number(answer[2])
  readHead(text.slice(0, timeStart), line)
  const request = REQUEST.exec(unescaped(text.slice(timeEnd + 3, requestEnd)))
  if (request) {
    line.method = request[1]
    line.target = request[2]
  }

  let at = requestEnd + 1 + answer[0].length
  for (const field of ['referrer', 'userAgent'] as const) {
    if (!text.startsWith(' "', at)) break
    const found = closingQuote(text, at + 2)
    const end = found < 0 ? text.length : found
    const value = unescaped(text.slice(at + 2, end))
    if (value !== '' && value !== '-') line[field] = value
    at = end + 1
  }
  return line
}

/** `client identity user`, or `host:port client identity user`. */
function readHead(head: string, line: LogLine): void {
  const first = head.indexOf(' ')
  const name = first < 0 ? head : head.slice(0, first)
  const second = head.slice(first + 1, head.indexOf(' ', first + 1))
  if (first > 0 && isIP(name) === 0 && isIP(second) > 0) {
    const port = /:(\d+)$/.exec(name)?.[1]
    const scheme = port === '443' ? 'https' : 'http'
    line.origin = `${scheme}://${port === '80' || port === '443' ? name.slice(0, -port.length - 1) : name}`
    line.client = second
  } else {
    line.client = name
  }
}

function parseTime(text: string): number | undefined {
  const match = TIME.exec(text)
  if (!match) return undefined
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const index = MONTHS.indexOf(month!)
  if (index % 3 !== 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  const midnight = Date.UTC(Number(year), index / 3, Number(day))
  if (new Date(midnight).getUTCDate() !== Number(day)) return undefined
  const wall = midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000
  return sign === '-' ? wall + offset : wall - offset
}

/** Where the quoted field that begins at `from` ends; -1 when it does not. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at > 0 && text[at - 1] === '\\') {
    let slashes = 1
    while (text[at - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) break
    at = text.indexOf('"', at + 1)
  }
  return at
}

/** Apache writes `\"`, `\\`, `\t` and, like nginx, `\xhh` for bytes. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text
    .replace(/(?:\\x[0-9A-Fa-f]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString('utf8'))
    .replace(/\\(["\\])/g, '$1')
}
