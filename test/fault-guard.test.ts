import { test } from 'tap'
import { FaultGuard } from '../src/lib/fault-guard.js'
import { manualClock } from './clock.js'

function guardWithLog() {
  const clock = manualClock()
  const said: string[] = []
  const times: number[] = []
  const report = (message: string): boolean => {
    said.push(message)
    times.push(clock.monotonic())
    return true
  }
  return { clock, said, times, guard: new FaultGuard({ clock, report }) }
}

test('faults are counted one by one and spoken of at most once a minute', t => {
  const { clock, said, guard } = guardWithLog()
  for (let second = 0; second < 600; second += 1) {
    guard.caught(new Error('broken'))
    guard.succeeded()
    clock.advance(1)
  }
  t.equal(guard.report.faults, 600)
  t.equal(said.length, 10)
  t.end()
})

test('after 100 in a row it switches itself off, says so, and tries again a minute later', t => {
  const { clock, said, guard } = guardWithLog()
  guard.caught(new Error('broken'))
  t.match(said.at(-1), /100 in a row switch it off for 60 s/)
  guard.succeeded()
  clock.advance(60)
  for (let index = 0; index < 99; index += 1) guard.caught(new Error('broken'))
  t.ok(guard.open())
  guard.caught(new Error('broken'))
  t.notOk(guard.open())
  clock.advance(59)
  t.notOk(guard.open())
  clock.advance(2)
  t.ok(guard.open())
  t.match(said.at(-1), /measuring again: it was off for 60 s after 100 faults in a row/)
  t.strictSame(guard.report, { faults: 101, tripped: false })
  t.end()
})

test('it says at once that it is off where nothing was said in the last minute', t => {
  const { clock, said, guard } = guardWithLog()
  for (let index = 0; index < 50; index += 1) guard.caught(new Error('broken'))
  clock.advance(60)
  for (let index = 0; index < 49; index += 1) guard.refused(new RangeError('no duration'))
  clock.advance(60)
  for (let index = 0; index < 49; index += 1) guard.caught(new Error('broken'))
  t.equal(said.length, 3)
  clock.advance(60)
  guard.caught(new Error('broken'))
  t.match(said.at(-1), /100 faults in a row: measuring is off for 60 s/)
  t.end()
})

test('however often it goes off and on, it speaks once a minute', t => {
  const { clock, guard, times } = guardWithLog()
  for (let tenth = 0; tenth < 6_000; tenth += 1) {
    if (guard.open()) for (let index = 0; index < 20; index += 1) guard.caught(new Error('broken'))
    clock.advance(0.1)
  }
  t.ok(times.length > 5, `${times.length} lines in ten minutes`)
  const apart = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  t.ok(Math.min(...apart) >= 60e9, `${Math.min(...apart) / 1e9} s apart`)
  t.end()
})

test('faults that come while it is off are counted, and neither keep it off nor fill the log', t => {
  const { clock, said, guard } = guardWithLog()
  for (let index = 0; index < 100; index += 1) guard.caught(new Error('broken'))
  const lines = said.length
  for (let second = 0; second < 61; second += 1) {
    guard.caught(new Error('broken'))
    clock.advance(1)
  }
  t.equal(said.length, lines)
  t.equal(guard.report.faults, 161)
  t.ok(guard.open())
  t.end()
})

test('a success in between starts the row anew', t => {
  const { guard } = guardWithLog()
  for (let index = 0; index < 1000; index += 1) {
    guard.caught(new Error('broken'))
    if (index % 50 === 0) guard.succeeded()
  }
  t.ok(guard.open())
  t.end()
})

test('refused values are counted and never switch measuring off', t => {
  const { guard } = guardWithLog()
  for (let index = 0; index < 1000; index += 1) guard.refused(new RangeError('no duration'))
  t.ok(guard.open())
  t.equal(guard.report.faults, 1000)
  t.end()
})

test('what cannot be said yet is said with the next fault that can', t => {
  let canSay = false
  const said: string[] = []
  const report = (message: string): boolean => {
    if (canSay) said.push(message)
    return canSay
  }
  const guard = new FaultGuard({ clock: manualClock(), report })
  guard.caught(new Error('broken'))
  canSay = true
  guard.caught(new Error('broken'))
  guard.caught(new Error('broken'))
  t.equal(said.length, 1)
  t.end()
})

test('a logger that throws stays inside', t => {
  const guard = new FaultGuard({
    clock: manualClock(),
    report: () => {
      throw new Error('the log is full')
    }
  })
  t.doesNotThrow(() => {
    guard.caught(new Error('broken'))
  })
  t.end()
})
