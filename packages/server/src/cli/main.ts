import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import pc from 'picocolors'
import { AGGREGATORS, ROLES } from '../config.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('nowcast').description('Real-time product analytics, self-hosted.').version(version)

/** The action of a command whose code is loaded when it is run: help and short commands answer at once. */
function loaded<Args extends unknown[]>(load: () => Promise<(...args: Args) => Promise<void>>) {
  return async (...args: Args): Promise<void> => (await load())(...args)
}

/** The options that every command on a data directory takes. */
function onDataDir(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: nowcast.config.json, if there is one)')
    .option('--data-dir <folder>', 'where everything is kept (default: ./nowcast-data)')
    .option('--kafka <brokers>', 'Kafka instead of the embedded log: host:port,…')
    .option('--redis <url>', 'Redis instead of memory for the live figures')
    .option('--clickhouse <url>', 'a ClickHouse server instead of the embedded engine')
    .option('--druid <url>', 'a Druid (the address of its router) instead of ClickHouse; needs --kafka')
    .option('--unique-topic <topic>', 'topic that Druid reads (default: nowcast.unique)')
    .addOption(new Option('--aggregator <who>', 'who counts the live figures (default: nowcast)').choices(AGGREGATORS))
    .option('--windows-topic <topic>', 'topic of the job in Flink (default: nowcast.windows)')
    .addOption(
      new Option('--log-level <level>', 'how much to log').choices([
        'fatal',
        'error',
        'warn',
        'info',
        'debug',
        'silent',
      ]),
    )
}

function serving(command: Command): Command {
  return onDataDir(command)
    .option('--port <number>', 'port to listen on (default: 4600)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--roles <roles>', `what this process does (default: ${ROLES.join(',')})`)
    .option('--trust-proxy <hops or subnets>', 'proxies whose X-Forwarded-For is believed')
}

serving(program.command('start', { isDefault: true }).description('start a server')).action(
  loaded(async () => (await import('./start-command.ts')).startCommand),
)

serving(
  program.command('demo').description('start a server with the simulated traffic of a shop, in a project of its own'),
)
  .option('--events-per-second <number>', 'live traffic, on average (default: 5)')
  .action(loaded(async () => (await import('./demo-command.ts')).demoCommand))

onDataDir(
  program
    .command('import')
    .description('import log files, CSV or NDJSON; an interrupted import goes on where it was')
    .argument('<file...>'),
)
  .option('--project <id>', 'project to import into (default: the first)')
  .addOption(
    new Option('--format <format>', 'format of the files (default: guessed)').choices([
      'combined-log',
      'csv',
      'ndjson',
    ]),
  )
  .option('--map <file>', 'JSON file that says where each event field comes from')
  .option('--delimiter <character>', 'of CSV (default: guessed)')
  .option('--zone <zone>', 'IANA zone of timestamps that carry none (default: UTC)')
  .option(
    '--url <url>',
    'server to send to (default: the one on the data directory; without one it is started for the time)',
  )
  .option('--key <key>', 'secret key (default: the project’s in the data directory)')
  .option('--force', 'import a finished file again')
  .action(loaded(async () => (await import('./import-command.ts')).importCommand))

onDataDir(program.command('token').description('print a read token and the dashboard’s address with it'))
  .option('--project <id>', 'project it reads (default: the first)')
  .option('--filter <dimension=value...>', 'forced on every query, like country=US; repeat for more')
  .option('--metric <metric...>', 'metrics it allows (default: all)')
  .option('--expires <span>', 'how long it is valid: 30m, 12h, 1d (default: 1d)')
  .action(loaded(async () => (await import('./token-command.ts')).tokenCommand))

onDataDir(
  program
    .command('export')
    .description('write stored events into a file or to stdout')
    .option('--project <id>', 'project to export (default: the first)')
    .option('--from <time>', 'ISO 8601 (default: everything)')
    .option('--to <time>', 'ISO 8601, not included (default: now)')
    .option('--filter <dimension=value...>', 'only these events, like country=US; repeat for more')
    .addOption(new Option('--format <format>').choices(['ndjson', 'csv', 'parquet']).default('ndjson'))
    .option('--out <file>', 'file to write (default: stdout)'),
).action(loaded(async () => (await import('./export-command.ts')).exportCommand))

onDataDir(
  program
    .command('delete-user')
    .description('make a user’s stored events name nobody; counts stay')
    .argument('<id>', 'user id or anonymous id')
    .option('--project <id>', 'project of the user (default: the first)'),
).action(loaded(async () => (await import('./delete-user-command.ts')).deleteUserCommand))

onDataDir(program.command('audit').description('compare log, live figures and history; exit 1 where they differ'))
  .option('--from <time>', 'ISO 8601 (default: everything)')
  .option('--to <time>', 'ISO 8601 (default: now)')
  .action(loaded(async () => (await import('./audit-command.ts')).auditCommand))

onDataDir(
  program.command('doctor').description('check the data directory and every connection, and say what to do'),
).action(loaded(async () => (await import('./doctor-command.ts')).doctorCommand))

onDataDir(
  program
    .command('flink')
    .description('print the job that counts the live figures in Flink, or submit it')
    .option('--gateway <url>', 'Flink’s SQL gateway to submit it to, like http://localhost:8083 (default: print it)')
    .option('--jar <path or url>', 'Nowcast’s functions, as Flink finds them (default: they are in its lib/)')
    .option('--upgrade', 'stop the job that runs with a savepoint, and go on from it')
    .option('--from <path>', 'a savepoint or retained checkpoint to go on from')
    .option('--checkpoint <span>', 'how often what was counted becomes visible: 500ms, 1s (default: 1s)')
    .option('--transaction-timeout <span>', 'when brokers give up what is not committed: 15m, 1h (default: 15m)')
    .option('--with-secrets', 'print passwords and keys too, not … in their place')
    .option('--property <name=value...>', 'of Kafka’s Java client, for both topics; repeat for more'),
).action(loaded(async () => (await import('./flink-command.ts')).flinkCommand))

program.parseAsync().catch((error: Error) => {
  // What we say ourselves is enough; anything else is a fault of ours, and its place matters.
  const ours = [
    'ConfigError',
    'DataDirError',
    'ListenError',
    'NowcastError',
    'FlinkError',
    'ImportError',
    'CommandError',
  ]
  const isOurs = ours.includes(error.name)
  console.error(`${pc.red('nowcast:')} ${isOurs ? error.message : error.stack}`)
  process.exit(1)
})
