import { KeyHint } from './key-hint.tsx'
import { Snippet } from './snippet.tsx'
import { KEY_PLACEHOLDER } from './use-project.ts'

export interface ConnectProps {
  url: string
  /** Undefined where the viewer may not know it. */
  writeKey: string | undefined
}

/** How to send events to this server, and show them elsewhere. */
export function ConnectSection({ url, writeKey }: ConnectProps) {
  const key = writeKey ?? KEY_PLACEHOLDER
  return (
    <section className="page-card nowcast nowcast-card" aria-label="Connect your app">
      <h2>Connect your app</h2>
      <p>A web page: page views are recorded by themselves.</p>
      <Snippet text={`<script async src="${url}/nowcast.js" data-key="${key}"></script>`} />
      <p>A bundled app, with @nowcast/browser; or a server, with @nowcast/node and its secret key.</p>
      <Snippet
        text={`import { createClient } from '@nowcast/browser'

const nowcast = createClient({ key: '${key}', url: '${url}' })
nowcast.track('purchase', { revenue: '19.99', currency: 'EUR', category: 'shoes' })`}
      />
      <p>Anything that speaks HTTP.</p>
      <Snippet
        text={`curl ${url}/v1/events \\
  -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
  -d '{"events":[{"name":"signup","userId":"u1"}]}'`}
      />
      <KeyHint isKnown={writeKey !== undefined} />
      <p>Figures inside your own React app, with @nowcast/react and a read token from your backend.</p>
      <Snippet
        text={`<NowcastProvider url="${url}" token={fetchReadToken}>
  <ActiveUsers />
  <TimeSeries metric="revenue" last="24h" breakdown="country" stacked />
</NowcastProvider>`}
      />
    </section>
  )
}
