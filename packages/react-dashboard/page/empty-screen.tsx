import type { ConnectProps } from './connect-section.tsx'
import { KeyHint } from './key-hint.tsx'
import { Snippet } from './snippet.tsx'
import { KEY_PLACEHOLDER } from './use-project.ts'

/** How to send the first event, while there is none. */
export function EmptyScreen({ url, writeKey }: ConnectProps) {
  return (
    <section className="page-card nowcast nowcast-card" aria-label="Send your first event">
      <h2>Waiting for the first event</h2>
      <p>Put this before the end of your pages’ head. Page views appear here a second later.</p>
      <Snippet text={`<script async src="${url}/nowcast.js" data-key="${writeKey ?? KEY_PLACEHOLDER}"></script>`} />
      <KeyHint isKnown={writeKey !== undefined} />
      <p>To see the dashboard with made-up traffic first:</p>
      <Snippet text="npx @nowcast/server demo" />
    </section>
  )
}
