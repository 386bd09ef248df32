import { useRef, useState } from 'react'

/** How to send the first event, while there is none. */
export function EmptyScreen({ url }: { url: string }) {
  const snippet = `<script async src="${url}/nowcast.js" data-key="nc_pub_…"></script>`
  return (
    <section className="page-card nowcast nowcast-card" aria-label="Send your first event">
      <h1>Waiting for the first event</h1>
      <p>Put this before the end of your pages’ head. Page views appear here a second later.</p>
      <Snippet text={snippet} />
      <p className="page-hint">
        Your write key begins with <code>nc_pub_</code>. The server printed it at its first start, and keeps it in its
        data directory.
      </p>
      <p>To see the dashboard with made-up traffic first:</p>
      <Snippet text="npx @nowcast/server demo" />
    </section>
  )
}

function Snippet({ text }: { text: string }) {
  const code = useRef<HTMLElement>(null)
  const [isCopied, setCopied] = useState(false)

  async function copy() {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), 2000)
    } catch {
      // Without access to the clipboard (plain http) the text is selected for the viewer's own copy.
      if (code.current) getSelection()?.selectAllChildren(code.current)
    }
  }

  return (
    <div className="page-snippet">
      <pre>
        <code ref={code}>{text}</code>
      </pre>
      <button type="button" onClick={copy}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}
