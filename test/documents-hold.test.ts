import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { ConfigSchema, KafkaSchema, toConfig } from '../packages/server/src/config.ts'
import { ProjectSchema } from '../packages/server/src/project.ts'
import { createTelemetry } from '../packages/server/src/telemetry.ts'
import { commandNames, usageErrors, usageOf } from './documents/nowcast-usage.ts'
import { anchorsOf, type Block, type Document, ROOT, readDocuments } from './documents/read-documents.ts'
import { type ShellCommand, shellCommands } from './documents/shell-commands.ts'
import { inContext } from './documents/snippet-context.ts'
import { codeOf, tableBelow } from './documents/table-below.ts'

let documents: Document[]
let blocks: Block[]
beforeAll(() => {
  documents = readDocuments()
  blocks = documents.flatMap((document) => document.blocks)
})
const page = (path: string) => documents.find((document) => document.path === path) as Document
const inLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language))

/** Read by programs that are not ours; looked at by a person. */
const OF_OTHERS = ['', 'csv', 'html', 'ini', 'nginx', 'sql']
const CHECKED = ['css', 'js', 'json', 'sh', 'ts', 'tsx', 'yaml']

it('finds documents, and a way to check every block in them', () => {
  expect(documents.length).toBeGreaterThan(40)
  expect(blocks.length).toBeGreaterThan(80)
  expect(blocks.filter(({ language }) => ![...OF_OTHERS, ...CHECKED].includes(language))).toEqual([])
})

it('every link leads to a file and a heading that are there', () => {
  const wrong: string[] = []
  for (const document of documents) {
    for (const { place, file, anchor } of document.links) {
      const path = file ?? document.path
      const target = documents.find((other) => other.path === path)
      if (!existsSync(join(ROOT, path))) wrong.push(`${place}: there is no ${path}`)
      else if (anchor && target && !anchorsOf(target).has(anchor)) wrong.push(`${place}: ${path} has no #${anchor}`)
    }
  }
  expect(wrong).toEqual([])
})

it('every guide is in the index', () => {
  const index = documents.find(({ path }) => path === 'docs/README.md') as Document
  const linked = new Set(index.links.map(({ file }) => file))
  const guides = documents.map(({ path }) => path).filter((path) => /^docs\/[^/]+\.md$/.test(path))
  expect(guides.filter((path) => path !== index.path && !linked.has(path))).toEqual([])
})

it('snippets have the types of the built packages', async () => {
  await mkdir(join(ROOT, 'test-results'), { recursive: true })
  // Beside the tests, so that packages are found as in an app.
  const folder = await mkdtemp(join(ROOT, 'test-results', 'types-'))
  try {
    const files: string[] = []
    for (const { place, document, language, code } of inLanguage('ts', 'tsx')) {
      const name = `${place.replaceAll(/[/.:]/g, '-')}.${language}`
      files.push(name)
      await writeFile(join(folder, name), inContext(document, code))
    }
    const compilerOptions = {
      ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx', types: ['node'] },
      ...{ lib: ['es2023', 'dom', 'dom.iterable'], strict: true, noEmit: true, skipLibCheck: true },
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const complaint = await promisify(execFile)(process.execPath, [tsc, '--project', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout || String(error),
    )
    expect(complaint).toBe('')
    expect(files.length).toBeGreaterThan(20)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

it('what is JavaScript or CSS can be parsed', async () => {
  for (const { place, language, code } of inLanguage('js', 'css')) {
    const { warnings } = await transform(code, { loader: language as 'js' | 'css', sourcefile: place })
    expect(warnings).toEqual([])
  }
})

describe('JSON and YAML', () => {
  it('can be parsed', () => {
    for (const { place, code } of inLanguage('json')) expect(() => JSON.parse(code), place).not.toThrow()
    for (const { place, code } of inLanguage('yaml')) {
      expect(
        parseAllDocuments(code).flatMap(({ errors }) => errors),
        place,
      ).toEqual([])
    }
  })

  it('a configuration is one that the server takes', () => {
    const configurations = inLanguage('json').filter(({ code }) => code.includes('"projects": ['))
    expect(configurations.length).toBeGreaterThan(2)
    for (const { place, code } of configurations) {
      expect(() => toConfig(JSON.parse(code.replaceAll('…', 'replace-this-key'))), place).not.toThrow()
    }
  })
})

describe('metrics', () => {
  const ofServer = () => {
    const telemetry = createTelemetry()
    telemetry.queriesWaiting(() => 0)
    return telemetry.registry.getMetricsAsArray().map(({ name }) => name)
  }
  const named = ({ path, text }: Document) =>
    Array.from(text.matchAll(/\bnowcast_[a-z_]+/g), ([name]) => ({
      path,
      name: name.replace(/_(count|sum|bucket)$/, ''),
    }))

  it('that are named are those of the server', () => {
    const known = new Set(ofServer())
    const all = documents.flatMap(named)
    expect(all.length).toBeGreaterThan(20)
    expect(all.filter(({ name }) => !known.has(name))).toEqual([])
  })

  it('of the server are all on the page about operation', () => {
    const told = new Set(named(page('docs/operation.md')).map(({ name }) => name))
    expect(ofServer().filter((name) => !told.has(name))).toEqual([])
  })

  it('in rules of Prometheus have the labels that they are asked for', async () => {
    const telemetry = createTelemetry()
    const labels = Object.fromEntries(
      telemetry.registry
        .getMetricsAsArray()
        .map((metric) => [metric.name, (metric as unknown as { labelNames: string[] }).labelNames]),
    )
    const wrong: string[] = []
    let count = 0
    for (const { place, code } of inLanguage('yaml')) {
      for (const [, expression = ''] of code.matchAll(/^\s*expr: (.*)$/gm)) {
        const [metric = '', own = labels[metric.replace(/_(count|sum|bucket)$/, '')]] =
          /nowcast_\w+/.exec(expression) ?? []
        if (!metric) continue
        count++
        const asked = [
          ...Array.from(expression.matchAll(/[{,]\s*(\w+)\s*(?:=~?|!=|!~)/g), ([, label]) => label as string),
          ...(/by \(([^)]*)\)/.exec(expression)?.[1]?.split(/,\s*/) ?? []),
        ]
        // Prometheus adds these itself.
        for (const label of asked.filter((one) => !['instance', 'job'].includes(one)))
          if (!own?.includes(label)) wrong.push(`${place}: ${metric} has no label ${label}`)
      }
    }
    expect(wrong).toEqual([])
    expect(count).toBeGreaterThan(5)
  })
})

describe('fields of the configuration', () => {
  const schemas = { Configuration: ConfigSchema, 'A project': ProjectSchema, Kafka: KafkaSchema }
  const rowsOf = (heading: string) => tableBelow(page('docs/configuration.md'), heading)

  it.each(Object.keys(schemas) as (keyof typeof schemas)[])('are those of the table below %s', (heading) => {
    expect(
      rowsOf(heading)
        .map(([field]) => codeOf(field))
        .sort(),
    ).toEqual(Object.keys(schemas[heading].shape).sort())
  })

  it.each(Object.keys(schemas) as (keyof typeof schemas)[])('have the defaults of the table below %s', (heading) => {
    const wrong: string[] = []
    for (const row of rowsOf(heading)) {
      const field = codeOf(row[0])
      const { shape } = schemas[heading] as { shape: Record<string, { safeParse(value: unknown): { data?: unknown } }> }
      const standard = shape[field]?.safeParse(undefined).data
      const told = row.at(-2) as string
      // These are told in words.
      if (['roles', 'projects'].includes(field)) continue
      if (standard !== undefined && !written(standard).includes(told)) wrong.push(`${field}: ${told}, not ${standard}`)
    }
    expect(wrong).toEqual([])
  })

  it('that have a flag have the one of the table', async () => {
    const flags = rowsOf('Configuration').flatMap((row) => codeOf(row[1]) || [])
    const known = [...(await usageOf('start')).keys()].filter((flag) => !['--config', '--help'].includes(flag))
    expect(flags.sort()).toEqual(known.sort())
  })
})

it.each(['sdk-browser', 'sdk-node'])('options of %s are those of the table in its README', (folder) => {
  const source = readFileSync(join(ROOT, 'packages', folder, 'src/options.ts'), 'utf8')
  const body = /^export interface ClientOptions \{\n(.*?)^\}/ms.exec(source)?.[1] ?? ''
  const options = Array.from(body.matchAll(/^ {2}(\w+)\??[:(]/gm), ([, option = '']) => option)
  const told = tableBelow(page(`packages/${folder}/README.md`), 'Options').flatMap(([cell = '']) =>
    Array.from(cell.matchAll(/`(\w+)`/g), ([, option = '']) => option),
  )
  expect(told.sort()).toEqual(options.sort())
  expect(options.length).toBeGreaterThan(10)
})

/** The ways in which a table tells a value. */
function written(value: unknown): string[] {
  const texts = [typeof value === 'object' ? JSON.stringify(value) : String(value)]
  if (typeof value === 'number') {
    texts.push(`${value / 1024 ** 3} GiB`, `${value / 3_600_000} hour${value === 3_600_000 ? '' : 's'}`)
  }
  return texts
}

describe('commands', () => {
  const commandsOf = () => {
    const units = inLanguage('ini').flatMap(({ place, code }) =>
      Array.from(code.matchAll(/^Exec\w+=(.*)$/gm), ([, command = '']) => ({ place, code: command })),
    )
    return [...inLanguage('sh'), ...units].flatMap(({ place, code }) =>
      shellCommands(code).map((words) => ({ place, words })),
    )
  }

  it('of nowcast have the options that they are given', async () => {
    const wrong: string[] = []
    let count = 0
    for (const { place, words } of commandsOf()) {
      const own = wordsOfNowcast(words)
      if (!own) continue
      count++
      for (const error of await usageErrors(own)) wrong.push(`${place}: ${error}`)
    }
    expect(wrong).toEqual([])
    expect(count).toBeGreaterThan(25)
  })

  it('of nowcast and their options are all on the page about the command line, and nothing else is', async () => {
    const EVERY = 'Options of every command'
    const cli = page('docs/cli.md')
    const flagsBelow = (heading: string) =>
      tableBelow(cli, heading).map(([option]) => codeOf(option).split(' ')[0] as string)
    const shared = flagsBelow(EVERY)
    const headings = Array.from(cli.text.matchAll(/^## (`nowcast (\S+).*`)$/gm), ([, heading = '', name = '']) => ({
      heading,
      name: name.replace('`', ''),
    }))
    expect(headings.map(({ name }) => name).sort()).toEqual((await commandNames()).sort())
    const told: Record<string, string[]> = {}
    const real: Record<string, string[]> = {}
    for (const { heading, name } of headings) {
      const above = name === 'demo' ? flagsBelow('`nowcast start`') : []
      told[name] = [...shared, ...above, ...flagsBelow(heading)].sort()
      real[name] = [...(await usageOf(name)).keys()].filter((flag) => flag !== '--help').sort()
    }
    expect(told).toEqual(real)
    for (const [path, heading] of [
      ['README.md', 'The command line'],
      ['packages/server/README.md', 'Commands'],
    ] as const) {
      const named = tableBelow(page(path), heading).flatMap(([cell = '']) =>
        Array.from(cell.matchAll(/`(?:nowcast )?([a-z-]+)[^`]*`/g), ([, name = '']) => name),
      )
      const others = ['nowcast']
      expect(named.filter((name) => !others.includes(name)).sort(), path).toEqual(
        headings.map(({ name }) => name).sort(),
      )
    }
  })

  it('of npm name scripts, workspaces and files that are there', () => {
    const scriptsOf = (folder: string): object =>
      JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).scripts
    const wrong: string[] = []
    for (const { place, words } of commandsOf()) {
      const [name, verb, ...rest] = words
      const at = rest.indexOf('--workspace')
      const folder = at < 0 ? '.' : (rest[at + 1] as string)
      const script = verb === 'run' ? rest[0] : ['start', 'test'].includes(verb as string) ? verb : undefined
      if (name === 'npm' && script && !Object.keys(scriptsOf(folder)).includes(script))
        wrong.push(`${place}: ${words.join(' ')}`)
      const files = name === 'npx' && verb === 'vitest' ? rest.filter((word) => word.endsWith('.ts')) : []
      wrong.push(...files.filter((file) => !existsSync(join(ROOT, file))).map((file) => `${place}: ${file}`))
    }
    expect(wrong).toEqual([])
  })
})

/** What follows `nowcast`, however it is called; undefined for another command. */
function wordsOfNowcast(words: ShellCommand): string[] | undefined {
  const [first, second] = words
  if (first === 'nowcast') return words.slice(1)
  if (first === 'npx' && second === '@nowcast/server') return words.slice(2)
  if (first === '/usr/bin/env' && second === 'nowcast') return words.slice(2)
  return undefined
}
