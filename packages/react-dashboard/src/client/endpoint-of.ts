/** Where one Nowcast server is reached. */
export interface Endpoint {
  /** What Socket.IO connects to. */
  origin: string
  /** Path of the Socket.IO endpoint. */
  socketPath: string
  queryUrl: string
}

/**
 * Derives the addresses from the server's base url.
 *
 * @example endpointOf('https://host/analytics').socketPath // '/analytics/live'
 */
export function endpointOf(url: string): Endpoint {
  const base = new URL(url, globalThis.location?.href)
  const path = base.pathname.replace(/\/+$/, '')
  return {
    origin: base.origin,
    socketPath: `${path}/live`,
    queryUrl: `${base.origin}${path}/v1/query`,
  }
}
