import { readFile } from 'node:fs/promises'
import process from 'node:process'

/**
 * When a process was started, in the system's own ticks; '' when it lives and the system does not say; undefined when
 * there is no such process.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    // The name in field 2 may hold spaces; field 3 is the state, field 22 the start.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Killed, and only not yet cleared away by its parent.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : (fields[19] ?? '')
  } catch {
    return isAlive(pid) ? '' : undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
