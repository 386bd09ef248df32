import type { ProjectAnswer } from '@nowcast/protocol'
import { useEffect, useState } from 'react'

/** What stands in snippets where the viewer may not know the key. */
export const KEY_PLACEHOLDER = 'nc_pub_…'

/** The project as the server tells it; undefined before the answer. */
export function useProject(url: string, token: string): ProjectAnswer | undefined {
  const [project, setProject] = useState<ProjectAnswer>()
  useEffect(() => {
    const end = new AbortController()
    const headers = { authorization: `Bearer ${token}` }
    fetch(`${url}/v1/project`, { headers, signal: end.signal })
      .then(async (response) => response.ok && setProject((await response.json()) as ProjectAnswer))
      // Without an answer the snippets have a placeholder, and say where the key is.
      .catch(() => {})
    return () => end.abort()
  }, [url, token])
  return project
}
