import { hasSizeLimit, PUBLIC_PACKAGES } from './public-packages.mjs'
import { inSeconds, runCommand } from './run-command.mjs'

const turbo = (task) => ({ command: ['turbo', 'run', task, '--output-logs=errors-only', '--continue'] })

// Packages are ES modules only: `require` of them needs a Node that loads ES modules, and module "nodenext" in TypeScript.
const attw = ['attw', '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-summary']
// A style sheet has no types.
const untyped = { 'react-dashboard': ['--exclude-entrypoints', 'style.css'] }

/** What must hold before code is merged, in the order it is checked. CONTRIBUTING.md says what each gate catches. */
const GATES = [
  { title: 'format and lint', steps: [{ command: ['biome', 'check', '--error-on-warnings', '.'] }] },
  { title: 'types', steps: [turbo('types'), { command: ['tsc', '--noEmit', '--project', 'tsconfig.json'] }] },
  {
    title: 'import table',
    steps: [{ command: ['depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', 'packages'] }],
  },
  { title: 'unused code', steps: [{ command: ['knip', '--treat-config-hints-as-errors'] }] },
  { title: 'build', steps: [turbo('build')] },
  { title: 'reference', steps: [{ command: ['node', 'scripts/api-reference.mjs'] }] },
  {
    title: 'packages as npm sees them',
    steps: PUBLIC_PACKAGES.map((folder) => ({
      command: ['publint', 'run', `packages/${folder}`, '--strict', '--pack', 'npm'],
    })),
  },
  {
    title: 'packages as TypeScript sees them',
    steps: PUBLIC_PACKAGES.map((folder) => ({
      command: [...attw, '--pack', `packages/${folder}`, ...(untyped[folder] ?? [])],
    })),
  },
  {
    title: 'size limits',
    steps: PUBLIC_PACKAGES.filter(hasSizeLimit).map((folder) => ({
      command: ['size-limit'],
      cwd: `packages/${folder}`,
    })),
  },
]

/**
 * Runs all steps of a gate, also after one has failed.
 * @returns {Promise<{ ok: boolean, report: string, ms: number }>} `report`: what the failed steps said
 */
async function runGate({ steps }) {
  if (steps.length === 0) return { ok: false, report: 'There is nothing to check: has a setting been lost?', ms: 0 }
  const reports = []
  let totalMs = 0
  for (const { command, cwd } of steps) {
    const { ok, outcome, output, ms } = await runCommand(command, { cwd })
    totalMs += ms
    if (!ok) reports.push(`$ ${command.join(' ')}${cwd ? `   (in ${cwd})` : ''}\n${output}\n${outcome}`)
  }
  return { ok: reports.length === 0, report: reports.join('\n\n'), ms: totalMs }
}

/** Runs every gate, with a line for each, and the reports of those that failed at the end. */
export async function runGates() {
  const results = []
  for (const gate of GATES) {
    const { ok, report, ms } = await runGate(gate)
    console.log(`${ok ? '✓' : '✗'} ${gate.title.padEnd(32)} ${inSeconds(ms).padStart(8)}`)
    results.push({ title: gate.title, ok, report })
  }
  for (const { title, ok, report } of results) if (!ok) console.log(`\n✗ ${title}\n\n${report}`)
  return results
}
