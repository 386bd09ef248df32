import { Snippet } from './snippet.tsx'

/** How to send events to this server, and show them elsewhere. */
export function ConnectSection({ url }: { url: string }) {
  return (
    <section className="page-card nowcast nowcast-card" aria-label="Connect your app">
      <h2>Connect your app</h2>
      <p>A web page: page views are recorded by themselves.</p>
      <Snippet text={`<script async src="${url}/nowcast.js" data-key="nc_pub_…"></script>`} />
      <p>A bundled app, with @nowcast/browser; or a server, with @nowcast/node and its secret key.</p>
      <Snippet
        text={`import { createClient } from '@nowcast/browser'

const nowcast = createClient({ key: 'nc_pub_…', url: '${url}' })
nowcast.track('purchase', { revenue: '19.99', currency: 'EUR', category: 'shoes' })`}
      />
      <p>Anything that speaks HTTP.</p>
      <Snippet
        text={`curl ${url}/v1/events \\
  -H 'Authorization: Bearer nc_pub_…' -H 'Content-Type: application/json' \\
  -d '{"events":[{"name":"signup","userId":"u1"}]}'`}
      />
      <p className="page-hint">
        Your keys are printed when the server starts, and kept in its data directory. The write key (
        <code>nc_pub_</code>) may be seen by everybody; the secret key (<code>nc_sec_</code>) stays on your servers.
      </p>
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
