// test/servers/start-kafka.ts
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { hasKafkaJars, kafkaJars } from "../../scripts/kafka-jars.mjs";

// test/servers/free-ports.ts
import { createServer } from "node:net";
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((resolve, reject) => {
        server.on("error", reject);
        server.listen(0, "127.0.0.1", () => resolve(server));
      });
    })
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

// test/servers/start-kafka.ts
var START_MS = 9e4;
var CLASSES = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", join(kafkaJars, "*")];
var JVM = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", ...CLASSES];
var kafkaIsMissing = spawnSync("java", ["-version"]).status === 0 ? hasKafkaJars() ? void 0 : "the jars of Kafka are missing: npm test fetches them through Maven" : "there is no java on the PATH";
async function startKafka(options = {}) {
  const folder = mkdtempSync(join(tmpdir(), "nowcast-kafka-"));
  const { proxies = [], listeners = {} } = options;
  const more = Object.keys(listeners);
  const [free = 0, freeController = 0, ...otherPorts] = await freePorts(2 + proxies.length + more.length);
  const { nodeId, controllers } = options.cluster ?? { nodeId: 1, controllers: [freeController] };
  const controllerPort = controllers[nodeId - 1];
  const proxiedPorts = otherPorts.splice(0, proxies.length);
  const addressOf = (listener) => `127.0.0.1:${otherPorts[more.indexOf(listener)]}`;
  const port = options.port ?? free;
  const address = `127.0.0.1:${port}`;
  const names = proxies.map((_, i) => `PROXIED${i}`);
  const jvm = options.jvm ? [...options.jvm, ...CLASSES] : JVM;
  const properties = {
    "process.roles": "broker,controller",
    "node.id": nodeId,
    "controller.quorum.voters": controllers.map((one, i) => `${i + 1}@127.0.0.1:${one}`).join(),
    listeners: [
      `PLAINTEXT://${address}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...names.map((name, i) => `${name}://127.0.0.1:${proxiedPorts[i]}`),
      ...more.map((name) => `${name}://${addressOf(name)}`)
    ].join(),
    "advertised.listeners": [
      `PLAINTEXT://${address}`,
      ...names.map((name, i) => `${name}://127.0.0.1:${proxies[i]}`),
      ...more.map((name) => `${name}://${addressOf(name)}`)
    ].join(),
    "listener.security.protocol.map": [
      ...["PLAINTEXT", "CONTROLLER", ...names].map((name) => `${name}:PLAINTEXT`),
      ...more.map((name) => `${name}:${listeners[name]}`)
    ].join(),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(folder, "data"),
    "offsets.topic.replication.factor": controllers.length,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    // Members of tests are to be missed sooner than Kafka's default lets them.
    "group.min.session.timeout.ms": 1e3,
    // A killed broker may register again once its session is over.
    "broker.session.timeout.ms": 1e3,
    "broker.heartbeat.interval.ms": 200,
    "auto.create.topics.enable": false,
    "log.retention.check.interval.ms": 1e3,
    ...options.properties
  };
  const configFile = join(folder, "server.properties");
  mkdirSync(join(folder, "data"));
  writeFileSync(
    configFile,
    Object.entries(properties).map(([name, value]) => `${name}=${value}`).join("\n")
  );
  let child;
  let output = "";
  const endWithUs = () => child?.kill("SIGKILL");
  process.once("exit", endWithUs);
  async function start() {
    output = "";
    const started = spawn("java", [...jvm, "kafka.Kafka", configFile], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"]
    });
    child = started;
    const collect = (chunk) => {
      output = (output + chunk.toString("utf8")).slice(-1e4);
    };
    started.stdout.on("data", collect);
    started.stderr.on("data", collect);
    const deadline = Date.now() + START_MS;
    while (!await isListening(port)) {
      if (started.exitCode !== null) throw new Error(`Kafka ended with ${started.exitCode}: ${output}`);
      if (Date.now() > deadline) {
        await kill();
        throw new Error(`Kafka does not listen after ${START_MS} ms: ${output}`);
      }
      await sleep(50);
    }
  }
  async function kill() {
    const killed = child;
    child = void 0;
    if (!killed || killed.exitCode !== null || killed.signalCode !== null) return;
    const exited = new Promise((resolve) => killed.once("exit", resolve));
    killed.kill("SIGKILL");
    await exited;
  }
  async function runTool(mainClass, args, input = "") {
    const running = promisify(execFile)("java", [...JVM, mainClass, ...args], { maxBuffer: 64 * 1024 * 1024 });
    running.child.stdin?.end(input);
    return (await running).stdout;
  }
  try {
    await runTool("kafka.tools.StorageTool", ["format", "-t", "Tk93Y2FzdFRlc3RzMDAwMQ", "-c", configFile]);
    await start();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    address,
    addressOf,
    proxied: proxiedPorts.map((proxiedPort) => ({ port: proxiedPort })),
    get pid() {
      return child?.pid;
    },
    kill,
    start,
    signal: (signal) => child?.kill(signal),
    runTool,
    async stop() {
      await kill();
      process.off("exit", endWithUs);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  };
}
function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const settle = (open) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

// test/servers/start-flink.ts
import { spawn as spawn2, spawnSync as spawnSync2 } from "node:child_process";
import { closeSync, mkdirSync as mkdirSync2, mkdtempSync as mkdtempSync2, openSync, readdirSync, readFileSync, rmSync as rmSync2, writeFileSync as writeFileSync2 } from "node:fs";
import { tmpdir as tmpdir2 } from "node:os";
import { join as join2 } from "node:path";
import { setTimeout as sleep2 } from "node:timers/promises";
import { flinkHome, hasFlink } from "../../scripts/flink-distribution.mjs";
var START_MS2 = 18e4;
var PARTS = {
  jobManager: ["org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx640m"],
  taskManager: ["org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "-Xmx768m"],
  gateway: ["org.apache.flink.table.gateway.SqlGateway", "-Xmx384m"]
};
var OPENED = ["lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent"];
var JVM2 = [
  ...OPENED.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
  "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "-XX:+UseSerialGC"
];
var flinkIsMissing = spawnSync2("java", ["-version"]).status === 0 ? hasFlink() ? void 0 : "Flink is missing: npm run test:flink fetches it from PyPI and through Maven" : "there is no java on the PATH";
async function startFlink(jars) {
  const folder = mkdtempSync2(join2(tmpdir2(), "nowcast-flink-"));
  const [rpc, rest, gatewayPort, blobs, taskRpc, data] = await freePorts(6);
  const conf = join2(folder, "conf");
  mkdirSync2(conf);
  const settings = {
    "jobmanager.rpc.address": "127.0.0.1",
    "jobmanager.rpc.port": rpc,
    "jobmanager.bind-host": "127.0.0.1",
    "blob.server.port": blobs,
    "rest.address": "127.0.0.1",
    "rest.bind-address": "127.0.0.1",
    "rest.port": rest,
    "taskmanager.host": "127.0.0.1",
    "taskmanager.bind-host": "127.0.0.1",
    "taskmanager.rpc.port": taskRpc,
    "taskmanager.data.port": data,
    "taskmanager.numberOfTaskSlots": 2,
    // What Flink's scripts work out of one figure.
    "taskmanager.cpu.cores": 2,
    "taskmanager.memory.task.heap.size": "512m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.managed.size": "256m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
    // A killed task manager is missed soon.
    "heartbeat.interval": 1e3,
    "heartbeat.timeout": 8e3,
    "parallelism.default": 2,
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": 1e6,
    "restart-strategy.fixed-delay.delay": "1 s",
    "io.tmp.dirs": join2(folder, "tmp"),
    "execution.checkpointing.dir": `file://${folder}/checkpoints`,
    "execution.checkpointing.savepoint-dir": `file://${folder}/savepoints`,
    "sql-gateway.endpoint.rest.address": "127.0.0.1",
    "sql-gateway.endpoint.rest.bind-address": "127.0.0.1",
    "sql-gateway.endpoint.rest.port": gatewayPort
  };
  const yaml = Object.entries(settings).map(([name, value]) => `${name}: ${value}
`);
  writeFileSync2(join2(conf, "config.yaml"), yaml.join(""));
  const classPath = [join2(flinkHome, "lib", "*"), ...jars].join(":");
  const running = /* @__PURE__ */ new Map();
  const addresses = { gateway: `http://127.0.0.1:${gatewayPort}`, rest: `http://127.0.0.1:${rest}` };
  const logFile = (part) => join2(folder, `${part}.log`);
  async function start(part) {
    const [mainClass, memory] = PARTS[part];
    const log = [
      `-Dlog.file=${logFile(part)}`,
      `-Dlog4j.configurationFile=file:${join2(flinkHome, "conf", "log4j.properties")}`
    ];
    const args = part === "gateway" ? [] : ["--configDir", conf];
    const output = openSync(`${logFile(part)}.out`, "a");
    const child = spawn2("java", [memory, ...JVM2, ...log, "-cp", classPath, mainClass, ...args], {
      stdio: ["ignore", output, output],
      env: { ...process.env, FLINK_CONF_DIR: conf }
    });
    closeSync(output);
    running.set(part, child);
    const deadline = performance.now() + START_MS2;
    while (!await isUsable(part)) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`Flink's ${part} did not start:
${logOf(part).slice(-3e3)}`);
      }
      await sleep2(200);
    }
  }
  async function isUsable(part) {
    try {
      if (part === "gateway") return (await fetch(`${addresses.gateway}/info`)).ok;
      const overview = await (await fetch(`${addresses.rest}/overview`)).json();
      return part === "jobManager" || overview["slots-total"] > 0;
    } catch {
      return false;
    }
  }
  async function kill(part) {
    const child = running.get(part);
    running.delete(part);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  }
  const endWithUs = () => {
    for (const child of running.values()) child.kill("SIGKILL");
  };
  function logOf(part) {
    return readdirSync(folder).filter((name) => name.startsWith(`${part}.log`)).map((name) => readFileSync(join2(folder, name), "utf8")).join("\n");
  }
  async function stop() {
    await Promise.all(Object.keys(PARTS).map(kill));
    process.off("exit", endWithUs);
    rmSync2(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  process.on("exit", endWithUs);
  try {
    mkdirSync2(join2(folder, "tmp"));
    await start("jobManager");
    await Promise.all([start("taskManager"), start("gateway")]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...addresses, folder, pidOf: (part) => running.get(part)?.pid, kill, start, logOf, stop };
}

// ../../../tmp/fx/x.ts
import { writeFileSync as writeFileSync3 } from "node:fs";
var kafka = await startKafka();
var flink = await startFlink(["/work/wt/flink/deploy/flink/target/nowcast-flink.jar"]);
writeFileSync3("/tmp/fx/env.json", JSON.stringify({ kafka: kafka.address, gateway: flink.gateway, rest: flink.rest, folder: flink.folder, pid: process.pid }));
console.log("up");
process.on("SIGTERM", async () => {
  await flink.stop();
  await kafka.stop();
  process.exit(0);
});
setInterval(() => {
}, 1e3);
process.on("SIGUSR2", async () => {
  for (const p of ["gateway", "taskManager"]) {
    await flink.kill(p);
  }
  ;
  await Promise.all([flink.start("taskManager"), flink.start("gateway")]);
  writeFileSync3("/tmp/fx/restarted", String(Date.now()));
});
