import { useCallback, useEffect, useState } from 'react'
import { NowcastProvider } from '../src/index.ts'
import { type Address, readAddress, writeAddress } from './address.ts'
import { projectOf } from './project-of.ts'
import { ProjectPage } from './project-page.tsx'
import { TokenScreen } from './token-screen.tsx'
import { keepToken, takeToken } from './token-store.ts'

/** The server's base url: the folder this page lies in. */
const URL_HERE = new URL('.', location.href).href.replace(/\/$/, '')

/** The built-in dashboard: asks for a token, then shows its project. */
export function Page() {
  const [token, setToken] = useState(takeToken)
  const [refusal, setRefusal] = useState<string>()
  const [address, setAddress] = useState(() => readAddress(location.search))
  const change = useCallback((part: Partial<Address>) => setAddress((held) => ({ ...held, ...part })), [])
  useEffect(() => {
    history.replaceState(history.state, '', location.pathname + writeAddress(address))
  }, [address])

  const open = useCallback((next: string | undefined) => {
    keepToken(next)
    setToken(next)
    setRefusal(undefined)
  }, [])
  const refuse = useCallback((reason: string) => {
    keepToken(undefined)
    setToken(undefined)
    setRefusal(reason)
  }, [])
  useEffect(() => {
    const follow = () => {
      if (location.hash.startsWith('#token=')) open(takeToken())
    }
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [open])

  if (!token) return <TokenScreen refusal={refusal} onToken={open} />
  return (
    <NowcastProvider
      key={token}
      url={URL_HERE}
      token={token}
      defaultChosen={address.filters}
      onChosenChange={(filters) => change({ filters })}
    >
      <ProjectPage
        url={URL_HERE}
        token={token}
        project={projectOf(token)}
        address={address}
        onAddress={change}
        onRefused={refuse}
      />
    </NowcastProvider>
  )
}
