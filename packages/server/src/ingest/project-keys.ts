import { createHash } from 'node:crypto'
import type { Project } from '../project.ts'

export type KeyKind = 'write' | 'secret'

export interface KeyOwner {
  project: Project
  kind: KeyKind
}

/** Finds a key's project; looks up digests, so that the time taken tells nothing of the keys. */
export function createProjectKeys(projects: readonly Project[]): (key: string) => KeyOwner | undefined {
  const owners = new Map<string, KeyOwner>()
  for (const project of projects) {
    const { writeKey, secretKey, previousWriteKey, previousSecretKey } = project
    for (const key of [writeKey, previousWriteKey]) if (key) owners.set(digest(key), { project, kind: 'write' })
    for (const key of [secretKey, previousSecretKey]) if (key) owners.set(digest(key), { project, kind: 'secret' })
  }
  return (key) => owners.get(digest(key))
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64')
}
