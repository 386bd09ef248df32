import { tmpdir } from 'node:os'
import { runNowcast } from '../servers/nowcast-cli.ts'

/** What `--help` says of a command: each option, whether it takes a value, and the values it takes if they are few. */
type Usage = Map<string, { takesValue: boolean; choices: string[] | undefined }>

const usages = new Map<string, Promise<Usage>>()

async function usageOf(command: string): Promise<Usage> {
  const { stdout, stderr, code } = await runNowcast([command, '--help'], tmpdir(), 120_000)
  if (code !== 0) throw new Error(`nowcast ${command} --help: ${stderr}`)
  // An option's description may go on in the next lines.
  const joined = stdout.replace(/\n {10,}/g, ' ')
  return new Map(
    Array.from(joined.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)( <[^>]+>)?(.*)$/gm), ([, name = '', value, rest = '']) => {
      const choices = /\(choices: ([^)]*?)(?:, default:[^)]*)?\)/.exec(rest)?.[1]
      return [name, { takesValue: value !== undefined, choices: choices?.match(/(?<=")[^",]+(?=")/g) ?? undefined }]
    }),
  )
}

/** What is wrong with a command line of `nowcast`; empty if nothing is. */
export async function usageErrors(words: readonly string[]): Promise<string[]> {
  const [first] = words
  if (first === '--version') return []
  const command = first === undefined || first.startsWith('-') ? 'start' : first
  const asked = usages.get(command) ?? usageOf(command)
  usages.set(command, asked)
  const usage = await asked.catch((error: Error) => error.message)
  if (typeof usage === 'string') return [usage]
  const errors: string[] = []
  for (let at = command === first ? 1 : 0; at < words.length; at++) {
    const word = words[at] as string
    if (!word.startsWith('--')) continue
    const option = usage.get(word)
    if (!option) errors.push(`nowcast ${command} has no ${word}; it has ${[...usage.keys()].join(', ')}`)
    if (!option?.takesValue) continue
    const value = words[++at]
    if (value === undefined) errors.push(`nowcast ${command} ${word} needs a value`)
    else if (option.choices && !option.choices.includes(value))
      errors.push(`nowcast ${command} ${word} ${value}: it takes ${option.choices.join(', ')}`)
  }
  return errors
}
