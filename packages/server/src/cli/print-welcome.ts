import pc from 'picocolors'
import { createReadToken } from '../api/read-token.ts'
import type { Project } from '../project.ts'

const YEAR_S = 365 * 86_400

/** The dashboard's address with a token that opens it. */
async function dashboardUrl(url: string, project: Project): Promise<string> {
  const token = await createReadToken({ project: project.id, readSecret: project.readSecret, expires: YEAR_S })
  return `${url}/#token=${token}`
}

/** Says where the dashboard is and how to send events. */
export async function printWelcome(
  url: string,
  projects: readonly Project[],
  print: (line: string) => void,
): Promise<void> {
  print('')
  print(`  ${pc.bold(pc.green('Nowcast'))} is running at ${pc.cyan(url)}`)
  for (const project of projects) {
    print('')
    print(`  ${pc.bold(project.name)} (project ${project.id})`)
    print(`    Dashboard   ${pc.cyan(await dashboardUrl(url, project))}`)
    print(`    Write key   ${project.writeKey}`)
    print(`    Script tag  <script async src="${url}/nowcast.js" data-key="${project.writeKey}"></script>`)
  }
  print('')
  print(pc.dim('  Secret keys and read secrets are in projects.json in the data directory. Ctrl-C stops.'))
  print('')
}
