import { useRef, useState } from 'react'

/** A text to copy. */
export function Snippet({ text }: { text: string }) {
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
