import type { ProjectAnswer } from '@nowcast/protocol'
import { useEffect, useState } from 'react'

/** What stands in snippets where the viewer may not know the key. */
export const KEY_PLACEHOLDER = 'nc_pub_…'

/** After this the page is headed by the project's id. */
const WAIT_MS = 4000

/** The project as the server tells it: undefined before the answer, null where there is none. */
export function useProject(url: string, token: string): ProjectAnswer | null | undefined {
  const [project, setProject] = useState<ProjectAnswer | null>()
  useEffect(() => {
    const end = new AbortController()
    const headers = { authorization: `Bearer ${token}` }
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(WAIT_MS)])
    fetch(`${url}/v1/project`, { headers, signal })
      .then(async (response) => setProject(response.ok ? ((await response.json()) as ProjectAnswer) : null))
      // Without an answer the snippets have a placeholder, and say where the key is.
      .catch(() => !end.signal.aborted && setProject(null))
    return () => end.abort()
  }, [url, token])
  return project
}
