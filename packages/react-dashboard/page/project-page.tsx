import { useEffect, useState } from 'react'
import { Dashboard, FilterBar, RecentEvents, useConnection, useQuery } from '../src/index.ts'
import { type Address, SECTIONS, type Section } from './address.ts'
import { type ConnectProps, ConnectSection } from './connect-section.tsx'
import { EmptyScreen } from './empty-screen.tsx'
import { FunnelSection } from './funnel-section.tsx'
import { RejectedEvents } from './rejected-events.tsx'
import { ShortcutsHelp } from './shortcuts-help.tsx'
import { useProject } from './use-project.ts'
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
  const [isHelp, setHelp] = useState(false)
  const known = useProject(url, token)
  const isNamed = known !== undefined
  const name = known?.name ?? project
  useEffect(() => {
    document.title = isNamed && name ? `${name} · Nowcast` : 'Nowcast'
  }, [isNamed, name])
  useEffect(() => {
    if (status === 'refused' && error?.needsToken) onRefused(error.message)
  }, [status, error, onRefused])
  useShortcuts({ address, onAddress, onHelp: () => setHelp(true) })
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
        <button
          type="button"
          className="page-nav-help"
          aria-label="Shortcuts"
          title="Press ?"
          onClick={() => setHelp(true)}
        >
          ?
        </button>
      </nav>
      {isHelp && <ShortcutsHelp onClose={() => setHelp(false)} />}
      <main className="page-section" data-unnamed={isNamed ? undefined : ''}>
        <h1 className="nowcast-sr">{(isNamed && name) || 'Nowcast'}</h1>
        {isLooking && <FirstEvent url={url} writeKey={known?.writeKey} onFound={() => setLooking(false)} />}
        {address.section === 'overview' && (
          <Dashboard title={name ?? 'Nowcast'} view={address.view} onViewChange={(view) => onAddress({ view })} />
        )}
        {address.section === 'funnel' && (
          <>
            <FilterBar last="7d" />
            <FunnelSection steps={address.steps} onSteps={(steps) => onAddress({ steps })} />
          </>
        )}
        {address.section === 'events' && (
          <>
            <h2 className="nowcast-sr">{NAMES.events}</h2>
            <FilterBar />
            <RecentEvents limit={40} />
            <RejectedEvents url={url} token={token} timezone={known?.timezone} />
          </>
        )}
        {address.section === 'connect' && <ConnectSection url={url} writeKey={known?.writeKey} />}
      </main>
    </div>
  )
}

function FirstEvent({ url, writeKey, onFound }: ConnectProps & { onFound(): void }) {
  const { data } = useQuery(
    { kind: 'total', metric: 'events', range: EVER, granularity: 'day' },
    { refreshMs: LOOK_AGAIN_MS, unfiltered: ['country', 'device', 'category', 'name'] },
  )
  const isFound = data !== undefined && data.v > 0
  useEffect(() => {
    if (isFound) onFound()
  }, [isFound, onFound])
  return data?.v === 0 ? <EmptyScreen url={url} writeKey={writeKey} /> : null
}
