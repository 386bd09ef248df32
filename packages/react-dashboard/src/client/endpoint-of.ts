/** Where one Nowcast server is reached. */
export interface Endpoint {
  /** The Socket.IO endpoint, as a WebSocket. */
  liveUrl: string
  queryUrl: string
}

/**
 * Derives the addresses from the server's base url.
 *
 * @example endpointOf('https://host/analytics').queryUrl // 'https://host/analytics/v1/query'
 */
export function endpointOf(url: string): Endpoint {
  const base = new URL(url, globalThis.location?.href)
  const path = base.pathname.replace(/\/+$/, '')
  return {
    liveUrl: `${base.origin.replace(/^http/, 'ws')}${path}/live/?EIO=4&transport=websocket`,
    queryUrl: `${base.origin}${path}/v1/query`,
  }
}
