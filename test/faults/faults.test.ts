import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { usePostgres } from '../postgres.js'
import { startCollector, type CountingCollector } from './collector.js'
import { drive } from './load.js'
import { startProxy, type Fault, type Proxy } from './proxy.js'
import { exportTo, settledAccount, startTracker } from './tracker.js'
import { writeFaults, type Row, type StopRow } from './report.js'

/** `npm run reliability` takes its time and writes docs/reliability.md; the tests only see that the promises hold. */
const full = process.env.RELIABILITY === '1'
const RATE = full ? 1_000 : 300
const HEALTHY_SECONDS = full ? 15 : 2
const FAULT_SECONDS = full ? 120 : 7
/** Load after the fault. */
const RECOVERY_SECONDS = full ? 15 : 3
/** Within which spans have to arrive again. */
const PROMISED_SECONDS = 10

const faults: readonly (Fault | 'answers 500')[] = ['refuse', 'black hole', 'answers 500', 'slow', 'reset']

test('whatever the collector does, requests are answered and spans accounted for', { timeout: 3_600_000 }, async t => {
  const postgres = await usePostgres(t)
  const rows: Row[] = []
  for (const fault of faults) rows.push(await survive(t, fault, postgres.url))
  const stops: StopRow[] = []
  for (const fault of ['refuse', 'black hole'] as const) stops.push(await stop(t, fault, postgres.url))
  if (full) writeFaults({ rate: RATE, seconds: FAULT_SECONDS }, rows, stops)
})

async function survive(t: Test, fault: (typeof faults)[number], database: string): Promise<Row> {
  const collector = await startCollector()
  const proxy = await startProxy(collector.port)
  const tracker = await startTracker(t, database, exportTo(proxy.port))
  await drive(tracker.url, tracker.pid, RATE, HEALTHY_SECONDS)
  const healthy = await drive(tracker.url, tracker.pid, RATE, HEALTHY_SECONDS)
  await set(fault, collector, proxy)
  const faulty = await drive(tracker.url, tracker.pid, RATE, FAULT_SECONDS)
  const [recovery, recovering] = await Promise.all([
    untilExported(collector, () => set('none', collector, proxy)),
    drive(tracker.url, tracker.pid, RATE, RECOVERY_SECONDS)
  ])
  const account = await settledAccount(tracker.url)
  const row: Row = {
    fault,
    requests: faulty.requests,
    failed: healthy.failed + faulty.failed + recovering.failed,
    p99: { healthy: healthy.p99, faulty: faulty.p99 },
    growth: Math.max(faulty.memory, recovering.memory) - healthy.memory,
    lines: linesPerMinute(tracker.process.output()),
    recovery,
    account
  }
  t.comment(JSON.stringify({ ...row, healthy, faulty, recovering }))
  if (full) t.ok(row.growth <= 32, `${fault}: memory grew by ${row.growth} MiB`)
  t.equal(row.failed, 0, `${fault}: no request fails`)
  t.ok(row.lines <= 1, `${fault}: at most one line a minute, ${row.lines} seen`)
  t.ok(row.lines > 0, `${fault}: and one that says so`)
  t.ok(row.recovery <= PROMISED_SECONDS, `${fault}: exporting again after ${row.recovery} s`)
  const { ended, exported, dropped, failed, notSampled, waiting } = account
  t.equal(ended, exported + dropped + failed + notSampled + waiting, `${fault}: every span is accounted for`)
  t.equal(waiting, 0)
  t.ok(dropped + failed > 0, `${fault}: it was felt`)
  if (fault === 'slow') t.ok(collector.taken >= exported, 'what came too late for the exporter did arrive')
  else t.equal(collector.taken, exported, `${fault}: what the collector has taken`)
  tracker.process.child.kill('SIGKILL')
  await tracker.process.ended()
  await Promise.all([proxy.close(), collector.close()])
  return row
}

async function stop(t: Test, fault: Fault, database: string): Promise<StopRow> {
  const collector = await startCollector()
  const proxy = await startProxy(collector.port)
  await proxy.become(fault)
  const tracker = await startTracker(t, database, exportTo(proxy.port))
  await drive(tracker.url, tracker.pid, RATE, HEALTHY_SECONDS)
  // Requests that come too late fail, as they must.
  const load = drive(tracker.url, tracker.pid, RATE, 3)
  await delay(1_000)
  const began = performance.now()
  tracker.process.child.kill('SIGTERM')
  const { code, stdout } = await tracker.process.ended()
  const seconds = (performance.now() - began) / 1_000
  const unsent = Number(/(\d+) spans were not sent/.exec(stdout)?.[1] ?? 0)
  t.equal(code, 0, `${fault}: it ends as asked`)
  t.ok(seconds < 5, `${fault}: ${seconds} s after SIGTERM`)
  t.ok(unsent > 0, `${fault}: ${unsent} spans that were not sent are counted`)
  await load
  await Promise.all([proxy.close(), collector.close()])
  return { fault, seconds, unsent }
}

async function set(fault: (typeof faults)[number], collector: CountingCollector, proxy: Proxy): Promise<void> {
  collector.status = fault === 'answers 500' ? 500 : 200
  await proxy.become(fault === 'answers 500' ? 'none' : fault)
}

/** Seconds from the end of the fault until spans arrive that were not taken before. */
async function untilExported(collector: CountingCollector, mend: () => Promise<void>): Promise<number> {
  await mend()
  const before = collector.taken
  const began = performance.now()
  while (collector.taken === before && performance.now() - began < 60_000) await delay(20)
  return (performance.now() - began) / 1_000
}

/** The most lines about the export in any minute. */
function linesPerMinute(output: string): number {
  const times = output
    .split('\n')
    .filter(line => line.includes('OpenTelemetry'))
    .map(line => (JSON.parse(line) as { readonly time: number }).time)
  return Math.max(0, ...times.map(time => times.filter(other => other >= time && other < time + 59_900).length))
}
