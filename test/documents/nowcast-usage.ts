import { tmpdir } from 'node:os'
import { runNowcast } from '../servers/nowcast-cli.ts'

/** What `--help` says of a command: each option, whether it takes a value, and the values it takes if they are few. */
type Usage = Map<string, { takesValue: boolean; choices: string[] | undefined }>

const usages = new Map<string, Promise<Usage>>()

async function helpOf(...command: string[]): Promise<string> {
  const { stdout, stderr, code } = await runNowcast([...command, '--help'], tmpdir(), 120_000)
  if (code !== 0) throw new Error(`nowcast ${command.join(' ')} --help: ${stderr}`)
  return stdout
}

/** The names of all commands. */
export async function commandNames(): Promise<string[]> {
  const [, list = ''] = (await helpOf()).split('Commands:\n')
  return Array.from(list.matchAll(/^ {2}([a-z-]+)/gm), ([, name]) => name as string).filter((name) => name !== 'help')
}

/** The options of a command; asked once. */
export function usageOf(command: string): Promise<Usage> {
  const asked = usages.get(command) ?? readUsage(command)
  usages.set(command, asked)
  return asked
}

async function readUsage(command: string): Promise<Usage> {
  // An option's description may go on in the next lines.
  const joined = (await helpOf(command)).replace(/\n {10,}/g, ' ')
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
  const usage = await usageOf(command).catch((error: Error) => error.message)
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
