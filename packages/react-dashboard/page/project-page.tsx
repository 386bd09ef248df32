import { useEffect, useState } from 'react'
import { Dashboard, useConnection, useQuery } from '../src/index.ts'
import { EmptyScreen } from './empty-screen.tsx'

export interface ProjectPageProps {
  url: string
  project: string | undefined
  onRefused(reason: string): void
}

const LOOK_AGAIN_MS = 2000
const EVER = { last: '3650d' }

/** One project's dashboard; before its first event, how to send one. */
export function ProjectPage({ url, project, onRefused }: ProjectPageProps) {
  const { status, error } = useConnection()
  const [isLooking, setLooking] = useState(true)
  useEffect(() => {
    document.title = project ? `${project} · Nowcast` : 'Nowcast'
  }, [project])
  useEffect(() => {
    if (status === 'refused' && error?.needsToken) onRefused(error.message)
  }, [status, error, onRefused])
  return (
    <main className="page-main">
      {isLooking && <FirstEvent url={url} onFound={() => setLooking(false)} />}
      <Dashboard title={project ?? 'Nowcast'} />
    </main>
  )
}

function FirstEvent({ url, onFound }: { url: string; onFound(): void }) {
  const { data } = useQuery(
    { kind: 'total', metric: 'events', range: EVER, granularity: 'day' },
    { refreshMs: LOOK_AGAIN_MS, unfiltered: ['country', 'device', 'category', 'name'] },
  )
  const isFound = data !== undefined && data.v > 0
  useEffect(() => {
    if (isFound) onFound()
  }, [isFound, onFound])
  return data?.v === 0 ? <EmptyScreen url={url} /> : null
}
