import { z } from 'zod'
import { isZone } from './window/zone.ts'

const key = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}[\\w-]{8,}$`), `must begin with ${prefix} and have at least 8 characters after it`)
const secret = z.string().min(32, 'must have at least 32 characters')
/** As browsers name the origin of a page: an address with a path would match none. Apps may have schemes of their own. */
const origin = z
  .string()
  .regex(/^[a-z][a-z\d+.-]*:\/\/[^/?#*\s]+\/?$/i, 'must be an origin, without a path or *, like https://shop.example')
  .refine((text) => URL.canParse(text), 'must be an origin, like https://shop.example')
  .transform((text) => {
    const named = new URL(text).origin
    return named === 'null' ? text.replace(/\/$/, '').toLowerCase() : named
  })
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, like EUR')

/** A team's product: its own keys, its own data. */
export const ProjectSchema = z.strictObject({
  /** 1–64 letters, digits, `-` and `_`. */
  id: z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, - and _'),
  /** @default the id */
  name: z.string().min(1).max(128).optional(),
  /** IANA zone of hour and day buckets. @default 'UTC' */
  timezone: z.string().refine(isZone, 'must be an IANA time zone, like Europe/Berlin').default('UTC'),
  /** ISO 4217; what revenue is summed in. @default 'USD' */
  currency: currency.default('USD'),
  /** Public: in browsers. */
  writeKey: key('nc_pub_'),
  /** For servers and imports. */
  secretKey: key('nc_sec_'),
  /** Signs read tokens. */
  readSecret: secret,
  /** Valid beside `writeKey` while clients change to it. */
  previousWriteKey: key('nc_pub_').optional(),
  /** Valid beside `secretKey`. */
  previousSecretKey: key('nc_sec_').optional(),
  /** Tokens that it signed are valid beside those of `readSecret`. */
  previousReadSecret: secret.optional(),
  /** Origins that may send and read; all when unset. */
  allowedOrigins: z.array(origin).optional(),
  /** Up to two properties that filter and break down live, like country. @default [] */
  hotDimensions: z.array(z.string().min(1).max(64)).max(2, 'names at most two properties').default([]),
  /** Units of the project's currency for one unit of another, as decimals. @default {} */
  rates: z
    .record(currency, z.string().regex(/^\d{1,9}(\.\d{1,8})?$/, 'must be a decimal with at most 8 places'))
    .default({}),
  /** Query parameters that stay in stored URLs and referrers, beside `utm_…`; `true` for all. @default [] */
  keepQueryParameters: z.union([z.literal(true), z.array(z.string().min(1).max(128)).max(64)]).default([]),
  /** Accept revenue by secret key only. @default false */
  trustedRevenue: z.boolean().default(false),
})

/** What a configuration says of a project. */
export type ProjectOptions = z.input<typeof ProjectSchema>
/** A team's product with every default filled in. */
export type Project = z.output<typeof ProjectSchema> & { name: string }

/** A project with its defaults. @throws ZodError */
export function toProject(options: unknown): Project {
  const project = ProjectSchema.parse(options)
  return { ...project, name: project.name ?? project.id }
}
