import { test } from 'tap'
import { usePostgres } from '../postgres.js'
import { startCollector } from './collector.js'
import { drive, type Window } from './load.js'
import { writeSteady } from './report.js'
import { exportTo, settledAccount, startTracker } from './tracker.js'

const full = process.env.RELIABILITY === '1'
const RATE = full ? 1_000 : 300
const WINDOWS = full ? 10 : 3
const WINDOW_SECONDS = full ? 60 : 2
const SHARE = 0.01

test('one request in a hundred exported, under a steady load', { timeout: 3_600_000 }, async t => {
  const postgres = await usePostgres(t)
  const collector = await startCollector()
  t.teardown(() => collector.close())
  const off = await startTracker(t, postgres.url, { PERFORMANCE_ENABLED: 'false' })
  const on = await startTracker(t, postgres.url, {
    ...exportTo(collector.port),
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(SHARE)
  })
  const driveOff = (): Promise<Window> => drive(off.url, off.pid, RATE, WINDOW_SECONDS)
  const driveOn = (): Promise<Window> => drive(on.url, on.pid, RATE, WINDOW_SECONDS)
  await driveOff()
  await driveOn()
  const before = await driveOff()
  const windows: Window[] = []
  for (let index = 0; index < WINDOWS; index += 1) windows.push(await driveOn())
  const after = await driveOff()

  const account = await settledAccount(on.url)
  const { ended, exported, dropped, failed, notSampled } = account
  const requests = windows.reduce((sum, window) => sum + window.requests, 0)
  t.comment(JSON.stringify({ off: [before, after], on: windows, account }))
  t.equal(
    [before, after, ...windows].reduce((sum, window) => sum + window.failed, 0),
    0,
    'no request fails'
  )
  t.equal(ended, exported + dropped + failed + notSampled)
  t.equal(collector.taken, exported)
  t.equal(dropped + failed, 0)
  // Each exported request has several spans.
  t.ok(exported > requests * SHARE, `${exported} spans of ${requests} requests`)
  t.ok(exported < requests * SHARE * 20)
  if (full) writeSteady({ rate: RATE, seconds: WINDOW_SECONDS }, [before, after], windows)
})
