import { type FormEvent, useState } from 'react'
import { tokenFrom } from './token-store.ts'

export interface TokenScreenProps {
  /** Why the token that was there is of no use. */
  refusal: string | undefined
  onToken(token: string): void
}

/** Says where a read token comes from, and takes one. */
export function TokenScreen({ refusal, onToken }: TokenScreenProps) {
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)

  function submit(event: FormEvent) {
    event.preventDefault()
    const token = tokenFrom(text)
    setWrong(!token)
    if (token) onToken(token)
  }

  return (
    <main className="page-card nowcast nowcast-card">
      <img src={new URL('./favicon.svg', import.meta.url).href} alt="" width="36" height="36" />
      <h1>Open your dashboard</h1>
      {refusal && (
        <p className="page-refusal" role="alert">
          {refusal}
        </p>
      )}
      <p>
        This page needs a read token. On the machine where the server runs, print an address that carries one, and open
        it:
      </p>
      <pre>
        <code>npx @nowcast/server token</code>
      </pre>
      <form onSubmit={submit}>
        <label htmlFor="token">Or paste the address or the token here</label>
        <div className="page-row">
          <input
            id="token"
            value={text}
            onChange={(event) => setText(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            aria-invalid={isWrong}
            aria-describedby="token-hint"
          />
          <button type="submit">Open</button>
        </div>
        <p id="token-hint" className="page-hint" role={isWrong ? 'alert' : undefined}>
          {isWrong
            ? 'That is no read token: it has three parts with dots between them.'
            : 'It is kept in this tab only, until you close it.'}
        </p>
      </form>
    </main>
  )
}
