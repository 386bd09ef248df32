import { build } from 'esbuild'
import { root } from '../public-packages.mjs'

/** The demo's traffic, as the server makes it, always of the same day. */
const { createDemoTraffic } = await importSource('packages/server/src/cli/demo/demo-traffic.ts')

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** A Wednesday in January, 18:00 UTC: what the pictures show as now. */
const NOW_THEN = Date.UTC(2026, 0, 14, 18)
/** So many that curves are smooth, and so few that they are sent in a minute or two. */
const EVENTS_PER_SECOND = 1.5

const ago = (minutes) => NOW_THEN - minutes * MINUTE_MS
const INCIDENTS = [
  { kind: 'campaign', fromMs: ago(420), toMs: ago(406), country: 'SE', category: 'outdoor' },
  { kind: 'checkout_outage', fromMs: ago(290), toMs: ago(272) },
  { kind: 'error_burst', fromMs: ago(96), toMs: ago(84) },
]

/**
 * A shop's last day and what follows, the same at each run but for the clock.
 * @param {number} startedAt a whole minute, epoch ms: the traffic's now
 */
export function createDemoShop(startedAt) {
  const shift = startedAt - NOW_THEN
  const traffic = createDemoTraffic({ seed: 4, eventsPerSecond: EVENTS_PER_SECOND, incidents: INCIDENTS })
  const between = (fromMs, toMs) =>
    traffic
      .eventsBetween(fromMs - shift, toMs - shift)
      .map((event) => ({ ...event, timestamp: event.timestamp + shift }))
  return { between, pastDay: () => between(startedAt - 25 * HOUR_MS, startedAt) }
}

async function importSource(path) {
  const { outputFiles } = await build({
    entryPoints: [`${root}/${path}`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}
