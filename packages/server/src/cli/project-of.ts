import type { Config } from '../config.ts'
import { storedProjects } from '../data-dir/stored-projects.ts'
import type { Project } from '../project.ts'
import { CommandError } from './command-error.ts'

/** The named project, or the first, of the configuration or else of the data directory. */
export async function projectOf(config: Config, id: string | undefined): Promise<Project> {
  const projects = config.projects.length > 0 ? config.projects : await storedProjects(config.dataDir)
  const found = id === undefined ? projects[0] : projects.find((project) => project.id === id)
  if (found) return found
  if (projects.length === 0)
    throw new CommandError(
      `there are no projects in ${config.dataDir} yet: run \`nowcast start\` once, or name the folder with --data-dir`,
    )
  throw new CommandError(`there is no project ${id}; these are: ${projects.map((project) => project.id).join(', ')}`)
}
