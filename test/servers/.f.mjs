// test/servers/start-flink.ts
import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { flinkHome, hasFlink } from "../../scripts/flink-distribution.mjs";

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

// test/servers/start-flink.ts
var START_MS = 18e4;
var PARTS = {
  jobManager: ["org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx640m"],
  taskManager: ["org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "-Xmx768m"],
  gateway: ["org.apache.flink.table.gateway.SqlGateway", "-Xmx384m"]
};
var OPENED = ["lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent"];
var JVM = [
  ...OPENED.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
  "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "-XX:+UseSerialGC"
];
var flinkIsMissing = spawnSync("java", ["-version"]).status === 0 ? hasFlink() ? void 0 : "Flink is missing: npm run test:flink fetches it from PyPI and through Maven" : "there is no java on the PATH";
async function startFlink(jars) {
  const folder = mkdtempSync(join(tmpdir(), "nowcast-flink-"));
  const [rpc, rest, gatewayPort, blobs, taskRpc, data] = await freePorts(6);
  const conf = join(folder, "conf");
  mkdirSync(conf);
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
    "io.tmp.dirs": join(folder, "tmp"),
    "execution.checkpointing.dir": `file://${folder}/checkpoints`,
    "execution.checkpointing.savepoint-dir": `file://${folder}/savepoints`,
    "sql-gateway.endpoint.rest.address": "127.0.0.1",
    "sql-gateway.endpoint.rest.bind-address": "127.0.0.1",
    "sql-gateway.endpoint.rest.port": gatewayPort
  };
  const yaml = Object.entries(settings).map(([name, value]) => `${name}: ${value}
`);
  writeFileSync(join(conf, "config.yaml"), yaml.join(""));
  const classPath = [join(flinkHome, "lib", "*"), ...jars].join(":");
  const running = /* @__PURE__ */ new Map();
  const addresses = { gateway: `http://127.0.0.1:${gatewayPort}`, rest: `http://127.0.0.1:${rest}` };
  const logFile = (part) => join(folder, `${part}.log`);
  async function start(part) {
    const [mainClass, memory] = PARTS[part];
    const log = [
      `-Dlog.file=${logFile(part)}`,
      `-Dlog4j.configurationFile=file:${join(flinkHome, "conf", "log4j.properties")}`
    ];
    const args = part === "gateway" ? [] : ["--configDir", conf];
    const output = openSync(`${logFile(part)}.out`, "a");
    const child = spawn("java", [memory, ...JVM, ...log, "-cp", classPath, mainClass, ...args], {
      stdio: ["ignore", output, output],
      env: { ...process.env, FLINK_CONF_DIR: conf }
    });
    closeSync(output);
    running.set(part, child);
    const deadline = performance.now() + START_MS;
    while (!await isUsable(part)) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`Flink's ${part} did not start:
${logOf(part).slice(-3e3)}`);
      }
      await sleep(200);
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
    return readdirSync(folder).filter((name) => name.startsWith(`${part}.log`)).map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  }
  async function stop() {
    await Promise.all(Object.keys(PARTS).map(kill));
    process.off("exit", endWithUs);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  process.on("exit", endWithUs);
  try {
    mkdirSync(join(folder, "tmp"));
    await start("jobManager");
    await Promise.all([start("taskManager"), start("gateway")]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...addresses, folder, pidOf: (part) => running.get(part)?.pid, kill, start, logOf, stop };
}

// ../../../tmp/fx/f.ts
import { writeFileSync as writeFileSync2, readFileSync as readFileSync2 } from "node:fs";
var flink = await startFlink(["/work/wt/flink/deploy/flink/target/nowcast-flink.jar"]);
var env = JSON.parse(readFileSync2("/tmp/fx/env.json", "utf8"));
writeFileSync2("/tmp/fx/env.json", JSON.stringify({ ...env, gateway: flink.gateway, rest: flink.rest, folder: flink.folder, fpid: process.pid }));
writeFileSync2("/tmp/fx/restarted", "1");
process.on("SIGTERM", async () => {
  await flink.stop();
  process.exit(0);
});
process.on("SIGUSR2", async () => {
  for (const p of ["gateway", "taskManager", "jobManager"]) {
    await flink.kill(p);
  }
  ;
  await flink.start("jobManager");
  await Promise.all([flink.start("taskManager"), flink.start("gateway")]);
  writeFileSync2("/tmp/fx/restarted", String(Date.now()));
});
setInterval(() => {
}, 1e3);
