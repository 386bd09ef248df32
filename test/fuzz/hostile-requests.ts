import { gzipSync } from 'node:zlib'
import fc from 'fast-check'

export interface HostileRequest {
  path: string
  method: string
  headers: Record<string, string>
  body: string | Uint8Array | undefined
}

/** What a well-meant request is made of, for all that is made from it. */
export interface Target {
  /** As the document names it. */
  path: string
  method: string
  /** Valid bodies. */
  examples: readonly unknown[]
  /** Valid values of Authorization. */
  authorizations: readonly string[]
  /** Ones that are valid elsewhere. */
  foreign: readonly string[]
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\0',
    '\ud800',
    '__proto__',
    'constructor',
    '🙂'.repeat(40),
    'x'.repeat(5000),
    '1e999',
    'null',
    '<b>',
  ),
)
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 1e308, -1, 2 ** 53, 0.1 + 0.2))
const json = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ stringUnit: 'binary' }) },
  { weight: 2, arbitrary: text },
  { weight: 2, arbitrary: number },
  fc.integer({ min: 1, max: 3000 }).map((depth) => deep(depth)),
)

function deep(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

/** A valid body of which one place holds anything, or is missing, or has a neighbour. */
function mutated(example: unknown): fc.Arbitrary<unknown> {
  const places = placesOf(example)
  const kind = fc.constantFrom('replace', 'remove', 'add', 'repeat')
  return fc.tuple(fc.constantFrom(...places), kind, json, text).map(([place, how, value, key]) => {
    const copy = structuredClone({ root: example }) as Record<string, unknown>
    const parent = place.slice(0, -1).reduce<Record<string, unknown>>((at, name) => at[name] as never, copy)
    const last = place.at(-1) as string
    if (how === 'replace') parent[last] = value
    else if (how === 'remove') delete parent[last]
    else if (how === 'repeat') parent[last] = Array.from({ length: 20 }, () => parent[last])
    else if (Array.isArray(parent[last])) parent[last] = [...(parent[last] as unknown[]), value]
    else if (typeof parent[last] === 'object' && parent[last] !== null)
      (parent[last] as Record<string, unknown>)[key] = value
    else parent[last] = { [key]: value }
    return copy.root
  })
}

function placesOf(value: unknown, place: string[] = ['root']): string[][] {
  if (typeof value !== 'object' || value === null) return [place]
  return [place, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...place, key]))]
}

const latin = fc.string({ unit: fc.constantFrom(...'abcXYZ0123456789 ,;:=+/"%?()[]{}<>\\éÿ'), maxLength: 60 })

/** A request to `target` that means well, half-well or ill. */
export function hostileRequest(target: Target): fc.Arbitrary<HostileRequest> {
  const encode = (value: unknown) => JSON.stringify(value) ?? ''
  const bodies = target.examples.length === 0 ? [undefined] : target.examples
  const body: fc.Arbitrary<string | Uint8Array | undefined> =
    target.method === 'get'
      ? fc.constant(undefined)
      : fc.oneof(
          {
            weight: 8,
            arbitrary: fc
              .constantFrom(...bodies)
              .chain(mutated)
              .map(encode),
          },
          { weight: 1, arbitrary: fc.constantFrom(...bodies).map(encode) },
          { weight: 1, arbitrary: json.map(encode) },
          { weight: 1, arbitrary: text },
          { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
          {
            weight: 1,
            arbitrary: fc
              .tuple(fc.constantFrom(...bodies), fc.nat(200))
              .map(([value, at]) => encode(value).slice(0, at)),
          },
        )
  const authorization = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...target.authorizations) },
    { weight: 1, arbitrary: fc.constantFrom('', 'Bearer', 'Bearer a.b.c', 'Basic !!!', 'Basic Og==', 'Digest x') },
    { weight: 1, arbitrary: fc.constantFrom(...target.foreign) },
    { weight: 1, arbitrary: latin },
  )
  const rare = fc.record(
    {
      'content-encoding': fc.constantFrom('gzip', 'br', 'identity', 'GZIP', ''),
      'content-type': latin,
      origin: fc.oneof({ weight: 1, arbitrary: latin }, { weight: 5, arbitrary: fc.constant('https://shop.example') }),
      'user-agent': latin,
      'x-forwarded-for': latin,
      'sec-ch-ua': latin,
      'sec-ch-ua-platform': latin,
    },
    { requiredKeys: [] },
  )
  const query = fc.oneof(
    { weight: 5, arbitrary: fc.constant('') },
    fc.webQueryParameters().map((parameters) => `?${parameters}`),
    fc
      .tuple(fc.constantFrom('key', 'limit', 'project', 'writeKey'), text)
      .map(([name, value]) => `?${new URLSearchParams({ [name]: value.toWellFormed() })}`),
  )
  return fc.record({ body, authorization, rare, query, segment: text, zipped: fc.boolean() }).map((parts) => {
    const isZipped =
      parts.zipped && parts.rare['content-encoding']?.toLowerCase() === 'gzip' && parts.body !== undefined
    const segment = encodeURIComponent(parts.segment.toWellFormed()).slice(0, 2000) || 'x'
    return {
      path: target.path.replace(/\{\w+\}/, segment) + parts.query,
      method: target.method.toUpperCase(),
      headers: { ...trimmed(parts.rare), ...trimmed({ authorization: parts.authorization }) },
      body: isZipped ? gzipSync(parts.body as string) : parts.body,
    }
  })
}

/** Header values may not begin or end blank. */
function trimmed(headers: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, value?.trim() ?? ''] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== ''))
}
