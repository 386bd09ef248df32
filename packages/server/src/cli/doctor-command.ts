import pc from 'picocolors'
import { type ConfigFlags, readConfig } from './read-config.ts'

/** `nowcast doctor`: exit 1 when something needs to be done. */
export async function doctorCommand(flags: ConfigFlags): Promise<void> {
  const config = await readConfig(flags)
  const { doctor } = await import('../doctor.ts')
  const findings = await doctor(config)
  const width = Math.max(...findings.map(({ what }) => what.length))
  for (const { what, ok, message } of findings) {
    console.log(`${ok ? pc.green('✓') : pc.red('✗')} ${what.padEnd(width)}  ${message}`)
  }
  const wrong = findings.filter(({ ok }) => !ok).length
  console.log(
    wrong === 0 ? pc.green('All is well.') : pc.red(`${wrong} of ${findings.length} need something to be done.`),
  )
  if (wrong > 0) process.exitCode = 1
}
