import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { batchOf, readNumbers } from '../../ports/event-log.conformance.ts'
import { checkKafka } from './check-kafka.ts'
import { createKafkaConsumerGroup } from './kafka-consumer-group.ts'
import { createKafkaEventLog, type KafkaEventLogOptions } from './kafka-event-log.ts'

const LOGIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule'
const PASSWORD = 'correct-horse'

describe.skipIf(kafkaIsMissing)('a broker with users and rights', () => {
  let kafka: KafkaServer
  let admin: kafkajs.Admin
  let folder: string
  let ca: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nowcast-tls-'))
    const store = join(folder, 'broker.p12')
    const keystore = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', PASSWORD, '-alias', 'broker']
    const names = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1,dns:localhost']
    execFileSync('keytool', ['-genkeypair', '-keyalg', 'EC', '-validity', '30', ...names, ...keystore], {
      stdio: 'pipe',
    })
    execFileSync('keytool', ['-exportcert', '-rfc', '-file', join(folder, 'ca.pem'), ...keystore], { stdio: 'pipe' })
    ca = readFileSync(join(folder, 'ca.pem'), 'utf8')
    const users = ['nowcast', 'stranger', 'reader'].map((user) => `user_${user}="${PASSWORD}"`).join(' ')
    kafka = await startKafka({
      listeners: { LOGIN: 'SASL_PLAINTEXT', SAFE: 'SASL_SSL' },
      properties: {
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
        ...Object.fromEntries(
          ['login', 'safe'].flatMap((name) => [
            [`listener.name.${name}.plain.sasl.jaas.config`, `${LOGIN_MODULE} required ${users};`],
            [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, `${SCRAM_MODULE} required;`],
          ]),
        ),
        // Those who do not log in come over the listener that the tests use to look after the broker.
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
        'ssl.keystore.location': store,
        'ssl.keystore.password': PASSWORD,
        'ssl.keystore.type': 'PKCS12',
        // Logins are over after a while, and are to be renewed.
        'connections.max.reauth.ms': 2000,
      },
    })
    admin = new kafkajs.Kafka({ brokers: [kafka.address], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
    const allow = (user: string, operation: number, resourceType: number, resourceName: string) => ({
      ...{ principal: `User:${user}`, host: '*', permissionType: AclPermissionTypes.ALLOW },
      ...{ operation, resourceType, resourceName, resourcePatternType: ResourcePatternTypes.LITERAL },
    })
    const { TOPIC, GROUP } = AclResourceTypes
    await admin.createAcls({
      acl: [
        ...['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'].map((operation) =>
          allow('nowcast', AclOperationTypes[operation as keyof typeof AclOperationTypes], TOPIC, '*'),
        ),
        allow('nowcast', AclOperationTypes.READ, GROUP, '*'),
        allow('reader', AclOperationTypes.READ, TOPIC, '*'),
        allow('reader', AclOperationTypes.DESCRIBE, TOPIC, '*'),
      ],
    })
  })
  afterAll(async () => {
    await admin.disconnect()
    await kafka.stop()
    rmSync(folder, { recursive: true })
  })

  const as = (username: string, password = PASSWORD): Pick<KafkaEventLogOptions, 'brokers' | 'sasl'> => ({
    brokers: [kafka.addressOf('LOGIN')],
    sasl: { mechanism: 'plain', username, password },
  })
  const over = (tls: KafkaEventLogOptions['ssl']) => ({
    ...as('nowcast'),
    brokers: [kafka.addressOf('SAFE')],
    ssl: tls,
  })

  test('events go over TLS with a login, also past the end of its session', async () => {
    const log = createKafkaEventLog({ ...over({ ca }), topic: 'secret', partitions: 1 })
    await log.start()
    const end = performance.now() + 5000
    let count = 0
    while (performance.now() < end) {
      await log.append([batchOf(count, count + 1)])
      count++
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(await readNumbers(log, 0, 0)).toHaveLength(count)
    await log.stop()
  })

  test('a broker that cannot prove who it is gets nothing', async () => {
    const log = createKafkaEventLog({ ...over(true), topic: 'secret', partitions: 1, startTimeoutMs: 500 })
    await expect(log.start()).rejects.toThrow(/self-signed certificate/)
    await log.stop()
  })

  test('a login that never sends the password works as well', async () => {
    await kafka.runTool('kafka.admin.ConfigCommand', [
      ...['--bootstrap-server', kafka.address, '--alter', '--entity-type', 'users', '--entity-name', 'nowcast'],
      ...['--add-config', `SCRAM-SHA-512=[password=${PASSWORD}]`],
    ])
    const { brokers } = as('nowcast')
    const sasl = { mechanism: 'scram-sha-512', username: 'nowcast', password: PASSWORD } as const
    const log = createKafkaEventLog({ brokers, sasl, topic: 'scrambled', partitions: 1 })
    await log.start()
    await log.append([batchOf(0, 3)])
    expect(await readNumbers(log, 0, 0)).toEqual([0, 1, 2])
    await log.stop()
  })

  test('a wrong password is said at once', async () => {
    const log = createKafkaEventLog({ ...as('nowcast', 'wrong'), topic: 'secret', partitions: 1 })
    await expect(log.start()).rejects.toThrow(/user name or password is wrong: check kafka\.sasl/)
    await log.stop()
    const [finding] = await checkKafka({ ...as('nowcast', 'wrong'), topic: 'secret' })
    expect(finding).toMatchObject({ ok: false, message: expect.stringContaining('check kafka.sasl') })
  })

  test('a user without rights is told which to grant', async () => {
    const log = createKafkaEventLog({ ...as('stranger'), topic: 'secret', partitions: 1 })
    await expect(log.start()).rejects.toThrow(/may not use the topic: grant it Read, Write.*TOPIC_AUTHORIZATION_FAILED/)
    await log.stop()
  })

  test('a user who may read but not write gets 503 with the reason, and reads', async () => {
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    const log = createKafkaEventLog({ ...as('reader'), topic: 'secret', partitions: 1, onWarning })
    await log.start()
    expect(warnings.join()).toContain('the settings of the topic could not be read')
    await expect(log.append([batchOf(0, 1)])).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('grant it Read, Write'),
    })
    expect((await readNumbers(log, 0, 0)).length).toBeGreaterThan(0)
    await log.stop()
  })

  test('a group that may not be joined says so, and is joined once it may', async () => {
    const group = createKafkaConsumerGroup({ ...as('reader'), groupId: 'g', topic: 'secret', partitions: 1 })
    let assigned: readonly number[] = []
    const started = group.start((partitions) => {
      assigned = partitions
    })
    while (!group.problem) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(group.problem).toContain('may not use the consumer group: grant it Read on the group')
    const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
    await admin.createAcls({
      acl: [
        {
          ...{ principal: 'User:reader', host: '*', permissionType: AclPermissionTypes.ALLOW },
          ...{ operation: AclOperationTypes.READ, resourceType: AclResourceTypes.GROUP, resourceName: 'g' },
          resourcePatternType: ResourcePatternTypes.LITERAL,
        },
      ],
    })
    await started
    expect(assigned).toEqual([0])
    expect(group.problem).toBeUndefined()
    await group.stop()
  })

  test('a topic that takes small batches only gets small ones, also when its limit is lowered meanwhile', async () => {
    const limit = (value: string) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: 'narrow',
            configEntries: [{ name: 'max.message.bytes', value }],
          },
        ],
      })
    const options = { ...as('nowcast'), topic: 'narrow', partitions: 1 }
    const log = createKafkaEventLog(options)
    await log.start()
    await limit('20000')
    await log.append([batchOf(0, 2000)])
    const again = createKafkaEventLog(options)
    await again.start()
    await again.append([batchOf(2000, 4000)])
    expect(await readNumbers(again, 0, 0)).toEqual(Array.from({ length: 4000 }, (_, n) => n))
    await limit('100')
    // A change of settings takes a moment to reach the broker.
    const refusal = await (async () => {
      for (let n = 4000; ; n++) {
        const refused = await log.append([batchOf(n, n + 1)]).catch((error: Error) => error)
        if (refused) return refused
      }
    })()
    expect(refusal).toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('set max.message.bytes to 1048588 or more'),
    })
    await log.stop()
    await again.stop()
  })
})
