import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../scripts/loopback-ports.mjs'

/** A Redis of the bench's own, which saves nothing. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'nowcast-bench-redis-'))
  const port = await freePort()
  const settings = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = spawn('redis-server', settings.map(String), { stdio: 'ignore' })
  const command = (...words) => execFileSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' })
  const field = (section, name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(command('INFO', section))?.[1])
  for (let attempt = 0; ; attempt++) {
    try {
      if (command('PING').includes('PONG')) break
    } catch (error) {
      if (attempt === 100) throw error
    }
    await sleep(50)
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    command: async (...words) => command(...words),
    cpuMs: async () => (field('cpu', 'used_cpu_user') + field('cpu', 'used_cpu_sys')) * 1000,
    memoryBytes: async () => field('memory', 'used_memory'),
    async stop() {
      const exit = once(server, 'exit')
      server.kill('SIGKILL')
      await exit
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
