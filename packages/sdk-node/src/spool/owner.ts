import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process, as far as others can tell whether it still runs. */
export interface Owner {
  /** Machine and process namespace. */
  host: string
  pid: number
  /** Tells apart processes that had the same pid one after the other. */
  start: string
}

/** This process. */
export const thisOwner: Owner = { host: hostOf(), pid: process.pid, start: startOf('self') ?? String(startedSeconds()) }

/**
 * Whether a process still runs; undefined where it cannot be told, since it is on another machine or in another
 * container.
 */
export function isRunning({ host, pid, start }: Owner): boolean | undefined {
  if (host !== thisOwner.host) return
  if (startOf('self')) return startOf(pid) === start
  // Where there is no /proc the clock tells whether a process of this pid is this one.
  if (pid === process.pid) return Math.abs(+start - startedSeconds()) <= 2
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process started, in clock ticks since boot: field 22 of `/proc/<pid>/stat`, whose second may hold blanks. */
function startOf(pid: number | 'self') {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {}
}

function startedSeconds() {
  return Math.round(Date.now() / 1000 - process.uptime())
}

function hostOf() {
  let namespace = ''
  try {
    namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
  } catch {}
  return `${hostname()}-${namespace}`.replace(/[^A-Za-z0-9-]/g, '-')
}
