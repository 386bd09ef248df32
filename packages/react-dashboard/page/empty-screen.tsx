import { Snippet } from './snippet.tsx'

/** How to send the first event, while there is none. */
export function EmptyScreen({ url }: { url: string }) {
  return (
    <section className="page-card nowcast nowcast-card" aria-label="Send your first event">
      <h1>Waiting for the first event</h1>
      <p>Put this before the end of your pages’ head. Page views appear here a second later.</p>
      <Snippet text={`<script async src="${url}/nowcast.js" data-key="nc_pub_…"></script>`} />
      <p className="page-hint">
        Your write key begins with <code>nc_pub_</code>. The server printed it at its first start, and keeps it in its
        data directory.
      </p>
      <p>To see the dashboard with made-up traffic first:</p>
      <Snippet text="npx @nowcast/server demo" />
    </section>
  )
}
