/** A team's product: its own keys, its own data. */
export interface Project {
  /** 1–64 letters, digits, `-` and `_`. */
  id: string
  name: string
  /** IANA zone of hour and day buckets. @default 'UTC' */
  timezone: string
  /** ISO 4217; what revenue is summed in. @default 'USD' */
  currency: string
  /** Public: in browsers. */
  writeKey: string
  /** For servers and imports. */
  secretKey: string
  /** Signs read tokens; at least 32 characters. */
  readSecret: string
  /** Origins that may send and read; all when unset. */
  allowedOrigins?: string[]
  /** Up to two properties that filter and break down live, like country. @default [] */
  hotDimensions: string[]
  /** Units of the project's currency for one unit of another, as decimals. @default {} */
  rates: Record<string, string>
  /** Accept revenue by secret key only. @default false */
  trustedRevenue: boolean
}
