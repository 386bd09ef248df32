import type { ErrorBody, RejectedAnswer } from '@nowcast/protocol'
import { useEffect, useState } from 'react'

export interface RejectedEventsProps {
  url: string
  token: string
  /** Whose clock the times are told by; undefined while it is not known. */
  timezone: string | undefined
}

const LOOK_AGAIN_MS = 10_000

/** Events of the last week that the server refused, and why. */
export function RejectedEvents({ url, token, timezone }: RejectedEventsProps) {
  const [answer, setAnswer] = useState<RejectedAnswer>()
  const [failure, setFailure] = useState<string>()

  useEffect(() => {
    const end = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    async function look() {
      try {
        const headers = { authorization: `Bearer ${token}` }
        const response = await fetch(`${url}/v1/rejected?limit=50`, { headers, signal: end.signal })
        const body = (await response.json()) as RejectedAnswer & Partial<ErrorBody>
        if (response.ok) setAnswer(body)
        setFailure(response.ok ? undefined : (body.error?.message ?? `The server answered ${response.status}.`))
      } catch {
        if (!end.signal.aborted) setFailure('The server cannot be reached. Trying again…')
      }
      if (!end.signal.aborted) timer = setTimeout(look, LOOK_AGAIN_MS)
    }
    void look()
    return () => {
      end.abort()
      clearTimeout(timer)
    }
  }, [url, token])

  return (
    <section className="nowcast nowcast-card page-rejected" aria-label="Rejected events">
      <h2 className="nowcast-title">Rejected events, last 7 days</h2>
      {failure && (
        <p className="nowcast-message" role="alert">
          {failure}
        </p>
      )}
      {answer?.rejected.length === 0 && <p className="nowcast-message">None: every event that came was accepted.</p>}
      <ol>
        {answer?.rejected.map(({ receivedAt, code, message, index, event }) => (
          <li key={`${receivedAt} ${index} ${event}`}>
            <p>
              <time dateTime={new Date(receivedAt).toISOString()}>
                {new Date(receivedAt).toLocaleString(undefined, { timeZone: timezone })}
              </time>{' '}
              <code>{code}</code>
            </p>
            <p>{message}</p>
            <pre>{event}</pre>
          </li>
        ))}
      </ol>
    </section>
  )
}
