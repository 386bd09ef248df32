import { useEffect, useState } from 'react'
import { Dashboard, FilterBar, RecentEvents, useConnection, useQuery } from '../src/index.ts'
import { type Address, SECTIONS, type Section } from './address.ts'
import { ConnectSection } from './connect-section.tsx'
import { EmptyScreen } from './empty-screen.tsx'
import { FunnelSection } from './funnel-section.tsx'
import { RejectedEvents } from './rejected-events.tsx'
import { useShortcuts } from './use-shortcuts.ts'

export interface ProjectPageProps {
  url: string
  token: string
  project: string | undefined
  address: Address
  onAddress(change: Partial<Address>): void
  onRefused(reason: string): void
}

const LOOK_AGAIN_MS = 2000
const EVER = { last: '3650d' }
const NAMES: Record<Section, string> = { overview: 'Overview', funnel: 'Funnel', events: 'Events', connect: 'Connect' }

/** One project's figures; before its first event, how to send one. */
export function ProjectPage({ url, token, project, address, onAddress, onRefused }: ProjectPageProps) {
  const { status, error } = useConnection()
  const [isLooking, setLooking] = useState(true)
  useEffect(() => {
    document.title = project ? `${project} · Nowcast` : 'Nowcast'
  }, [project])
  useEffect(() => {
    if (status === 'refused' && error?.needsToken) onRefused(error.message)
  }, [status, error, onRefused])
  useShortcuts((section) => onAddress({ section }))
  return (
    <div className="page-main">
      <nav className="page-nav nowcast" aria-label="Parts of the page">
        {SECTIONS.map((section, index) => (
          <button
            key={section}
            type="button"
            aria-current={section === address.section ? 'page' : undefined}
            title={`Press ${index + 1}`}
            onClick={() => onAddress({ section })}
          >
            {NAMES[section]}
          </button>
        ))}
      </nav>
      <main className="page-section">
        {isLooking && <FirstEvent url={url} onFound={() => setLooking(false)} />}
        {address.section === 'overview' && (
          <Dashboard
            title={project ?? 'Nowcast'}
            defaultView={address.view}
            onViewChange={(view) => onAddress({ view })}
          />
        )}
        {address.section === 'funnel' && (
          <>
            <FilterBar last="7d" />
            <FunnelSection steps={address.steps} onSteps={(steps) => onAddress({ steps })} />
          </>
        )}
        {address.section === 'events' && (
          <>
            <FilterBar />
            <RecentEvents limit={40} />
            <RejectedEvents url={url} token={token} />
          </>
        )}
        {address.section === 'connect' && <ConnectSection url={url} />}
      </main>
    </div>
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
