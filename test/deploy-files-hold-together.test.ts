import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { ROLES, toConfig } from '../packages/server/src/config.ts'
import { runNowcast } from './servers/nowcast-cli.ts'

const folder = join(import.meta.dirname, '../deploy')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

interface Manifest {
  kind: string
  metadata: { name: string }
  // biome-ignore lint/suspicious/noExplicitAny: manifests are looked at as they are
  spec: any
  stringData: Record<string, string>
}
const manifests = readdirSync(join(folder, 'kubernetes'))
  .filter((file) => file !== 'kustomization.yaml')
  .flatMap((file) => parseAllDocuments(read(`kubernetes/${file}`)))
  .map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS() as Manifest
  })
const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind)

/** Instructions of the Dockerfile, continued lines joined. */
const instructions = read('Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
const instruction = (name: string) =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim())

describe('the image', () => {
  it('runs as a user without rights, and its command is one of ours', async () => {
    expect(instruction('USER').at(-1)).toBe('node')
    const [entry] = JSON.parse(instruction('ENTRYPOINT')[0] as string) as string[]
    const server = JSON.parse(readFileSync(join(folder, '../packages/server/package.json'), 'utf8'))
    expect(Object.keys(server.bin)).toContain(entry)
    const command = JSON.parse(instruction('CMD').at(-1) as string) as string[]
    const { code, stdout } = await runNowcast([...command, '--help'], tmpdir())
    expect(code).toBe(0)
    expect(stdout).toContain('start a server')
  })

  it('asks for its health where the server answers', async () => {
    const health = instruction('HEALTHCHECK')[0]?.match(/CMD (\[.*\])$/)?.[1]
    const [program, flag, code] = JSON.parse(health as string) as string[]
    expect([program, flag]).toEqual(['node', '--eval'])
    expect(code).toContain('/healthz')
    expect(() => new Function(code as string)).not.toThrow()
  })
})

describe('the compose file', () => {
  const compose = parse(read('compose.yaml'))

  it('starts Kafka, Redis, ClickHouse and Nowcast, and nothing that others reach from outside', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['clickhouse', 'kafka', 'nowcast', 'redis'])
    for (const { ports = [] } of Object.values<{ ports?: string[] }>(compose.services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    }
    expect(Object.keys(compose.services.nowcast.depends_on).sort()).toEqual(['clickhouse', 'kafka', 'redis'])
    expect(compose.services.redis.command).toContain('noeviction')
  })

  it('has a configuration to copy that names its services', () => {
    const config = toConfig(JSON.parse(read('nowcast.config.example.json')))
    expect(config.kafka?.brokers).toEqual(['kafka:9092'])
    expect(new URL(config.redis as string).hostname in compose.services).toBe(true)
    const { hostname, username, password } = new URL(config.clickhouse as string)
    const { CLICKHOUSE_USER, CLICKHOUSE_PASSWORD } = compose.services[hostname].environment
    expect([username, password]).toEqual([CLICKHOUSE_USER, CLICKHOUSE_PASSWORD])
  })
})

describe('the manifests', () => {
  it('are all applied', () => {
    const { resources } = parse(read('kubernetes/kustomization.yaml'))
    const files = readdirSync(join(folder, 'kubernetes')).filter((file) => file !== 'kustomization.yaml')
    expect(resources.sort()).toEqual(files.sort())
  })

  it('have a configuration that the server takes', async () => {
    const text = ofKind('Secret')[0]?.stringData['nowcast.config.json'] as string
    expect(toConfig(JSON.parse(text)).projects).toHaveLength(1)
    const cwd = await mkdtemp(join(tmpdir(), 'nowcast-deploy-'))
    await writeFile(join(cwd, 'nowcast.config.json'), text)
    const { code, stdout } = await runNowcast(['token', '--project', 'shop'], cwd)
    expect(stdout).toMatch(/eyJ/)
    expect(code).toBe(0)
    await rm(cwd, { recursive: true })
  })

  it('run each role in deployments that may lose a node, without rights', () => {
    const deployments = ofKind('Deployment')
    expect(deployments.map(({ metadata }) => metadata.name).sort()).toEqual(
      ROLES.map((role) => `nowcast-${role}`).sort(),
    )
    const budgets = ofKind('PodDisruptionBudget').map(({ metadata }) => metadata.name)
    for (const { metadata, spec } of deployments) {
      expect(budgets).toContain(metadata.name)
      expect(spec.replicas).toBeGreaterThan(1)
      const { containers, securityContext } = spec.template.spec
      expect(securityContext.runAsNonRoot).toBe(true)
      const [{ args, readinessProbe, livenessProbe, securityContext: own }] = containers
      expect(args.join(' ')).toContain(`--roles ${metadata.name.replace('nowcast-', '')}`)
      expect(own).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true })
      expect(readinessProbe.httpGet.path).toBe('/readyz')
      expect(livenessProbe.httpGet.path).toBe('/healthz')
    }
    for (const { spec } of ofKind('HorizontalPodAutoscaler')) {
      expect(deployments.map(({ metadata }) => metadata.name)).toContain(spec.scaleTargetRef.name)
    }
  })

  it('send questions and the page to query, events to ingest', () => {
    const { paths } = (ofKind('Ingress')[0] as Manifest).spec.rules[0].http
    const serviceOf = (path: string) =>
      paths
        .filter((each: { path: string }) => path.startsWith(each.path))
        .sort((a: { path: string }, b: { path: string }) => b.path.length - a.path.length)[0].backend.service.name
    const services = ofKind('Service').map(({ metadata }) => metadata.name)
    for (const path of ['/', '/live', '/v1/query', '/v1/rejected', '/nowcast.js']) {
      expect(serviceOf(path)).toBe('nowcast-query')
    }
    for (const path of ['/v1/events', '/v1/batch', '/v1/t']) expect(serviceOf(path)).toBe('nowcast-ingest')
    expect(services.sort()).toEqual(['nowcast-ingest', 'nowcast-query'])
  })
})
