import { readFileSync } from 'node:fs'
import { Application, LogLevel } from 'typedoc'
import { PUBLIC_PACKAGES, root } from './public-packages.mjs'

/** Kinds whose exports say what they are for; a property's name often says enough. */
const DOCUMENTED = ['Class', 'Interface', 'TypeAlias', 'Function', 'Variable', 'Method', 'Enum']

/** What types are inferred from; the inferred types are exported, by their own names. */
const INFERRED_FROM = {
  'sdk-browser': ['DEVICES', 'EVENT_REJECTION_CODES'],
  'sdk-node': ['DEVICES', 'EVENT_REJECTION_CODES'],
  'react-dashboard': ['ANOMALY_BASELINES', 'ERROR_STATUS', 'GRANULARITIES', 'METRICS', 'QUERY_KINDS'],
  server: ['ConfigOptions', 'ERROR_STATUS', 'ProjectSchema'],
}

const app = await Application.bootstrap({
  name: 'Nowcast',
  entryPoints: PUBLIC_PACKAGES.map((folder) => `${root}/packages/${folder}/dist/index.d.ts`),
  tsconfig: `${root}/scripts/tsconfig.api.json`,
  readme: 'none',
  out: `${root}/docs/api`,
  disableSources: true,
  logLevel: LogLevel.Warn,
  requiredToBeDocumented: DOCUMENTED,
  validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true, rewrittenLink: true },
})
const project = await app.convert()
if (project) {
  for (const folder of PUBLIC_PACKAGES) {
    // Types that are named and not exported are looked for in one package at a time.
    project.packageName = JSON.parse(readFileSync(`${root}/packages/${folder}/package.json`, 'utf8')).name
    const module = project.children?.find(({ name }) => name.startsWith(`${folder}/`))
    if (module) module.name = project.packageName
    app.options.setValue('intentionallyNotExported', INFERRED_FROM[folder])
    app.validate(project)
  }
  project.packageName = undefined
  await app.generateOutputs(project)
}
const { errorCount, warningCount } = app.logger
console.log(
  errorCount + warningCount === 0
    ? 'The reference is in docs/api/index.html.'
    : `${errorCount} errors, ${warningCount} warnings`,
)
process.exitCode = project && errorCount + warningCount === 0 ? 0 : 1
