import { test } from 'tap'
import type { Clock } from '../../src/lib/clock.js'
import { SelfMeter } from '../../src/self/meter.js'
import { Samples } from '../../src/self/samples.js'
import { Work } from '../../src/self/work.js'
import { manualClock } from '../clock.js'
import { seededRandom } from '../random.js'

const READING = 35

/** A clock of which each reading takes 35 ns, as a real one does; `spend` lets time pass. */
function dearClock(): Clock & { spend: (nanoseconds: number) => void } {
  let now = 1e15
  return {
    monotonic: () => (now += READING),
    wall: () => 0,
    spend: nanoseconds => {
      now += nanoseconds
    }
  }
}

test('about one in 256 is chosen, the first of them soon, and never in step with what is measured', t => {
  const work = new Work(manualClock())
  const chosen: number[] = []
  for (let index = 1; index <= 256_000; index += 1) if (work.choose()) chosen.push(index)
  t.equal(work.begun, 256_000)
  t.equal(chosen[0], 16)
  t.ok(chosen.length > 800 && chosen.length < 1250, `${chosen.length} of 256,000`)
  const places = new Set(chosen.map(index => index % 64))
  t.ok(places.size > 50, `${places.size} of 64 places of an operation with 64 calls`)
  t.end()
})

test('what reading the clock takes is no part of work that is in one piece', t => {
  const clock = dearClock()
  const work = new Work(clock)
  for (let index = 0; index < 50; index += 1) {
    work.time(() => {
      clock.spend(400)
    })
  }
  t.equal(work.nanoseconds, 400)
  t.end()
})

test('a call adds up what comes before and after it, with the readings that each call makes', t => {
  const clock = dearClock()
  const work = new Work(clock)
  for (let index = 0; index < 50; index += 1) {
    const began = clock.monotonic()
    clock.spend(120)
    const start = clock.monotonic()
    clock.spend(5_000_000)
    const end = clock.monotonic()
    clock.spend(80)
    work.measured(start - began + clock.monotonic() - end)
  }
  t.equal(work.nanoseconds, 120 + 80 + 2 * READING)
  t.end()
})

test('a pause that falls into one of the times hardly shows; work that is sometimes dear does', t => {
  const samples = new Samples()
  t.equal(samples.typical, 0)
  const random = seededRandom(1)
  const draw = (): number => 400 + 200 * random()
  for (let index = 0; index < 1000; index += 1) samples.add(index === 980 ? 20_000_000 : draw())
  t.ok(samples.typical > 480 && samples.typical < 540, String(samples.typical))
  for (let index = 0; index < 128; index += 1) samples.add(index % 4 === 0 ? 2000 : 500)
  t.equal(samples.typical, 875, 'not the median')
  samples.clear()
  t.equal(samples.typical, 0)
  t.end()
})

test('a time below what the clock takes is none, and not a negative one', t => {
  const work = new Work(manualClock())
  work.measured(-30)
  t.equal(work.nanoseconds, 0)
  t.end()
})

test('the share of a core is that of the last ten seconds, times and rates multiplied', t => {
  const clock = manualClock()
  const meter = new SelfMeter(clock)
  const second = (calls: number, background = 0): void => {
    for (let index = 0; index < calls; index += 1) if (meter.calls.choose()) meter.calls.measured(500)
    clock.advance(1)
    meter.tick(background)
  }
  second(100_000)
  t.equal(meter.overheadNow, 0.05)
  t.equal(meter.overhead, 0.05)
  for (let index = 0; index < 4; index += 1) second(0)
  t.equal(meter.overheadNow, 0)
  t.equal(meter.overhead, 0.01)
  second(0, 50e6)
  t.equal(meter.overheadNow, 0.05, 'work that no request caused counts too')
  for (let index = 0; index < 10; index += 1) second(0)
  t.equal(meter.overhead, 0)
  clock.advance(9)
  second(100_000)
  t.equal(meter.overheadNow, 0.005, 'a second that was ten long, for the loop was blocked')
  meter.tick(1e9)
  t.equal(meter.overheadNow, 0.005, 'one that was none')
  t.end()
})

test('nanoseconds a span cover all the work that spans make, in the mix that there was', t => {
  const meter = new SelfMeter(manualClock())
  t.equal(meter.nanosecondsPerSpan, 0)
  for (let index = 0; index < 9000; index += 1) {
    meter.spans += 1
    if (meter.calls.choose()) meter.calls.measured(200)
  }
  for (let index = 0; index < 1000; index += 1) {
    meter.spans += 1
    if (meter.spanStarts.choose()) meter.spanStarts.measured(700)
    if (meter.spanEnds.choose()) meter.spanEnds.measured(1500)
    if (meter.cacheCalls.choose()) meter.cacheCalls.measured(1e6)
  }
  t.equal(meter.nanosecondsPerSpan, 0.9 * 200 + 0.1 * 2200)
  t.end()
})

test('times are taken anew once the work is another; those from before hold until there are enough', t => {
  const meter = new SelfMeter(manualClock())
  const { calls } = meter
  for (let index = 0; index < 20; index += 1) calls.measured(800)
  t.equal(meter.timed, 20)
  meter.restart()
  t.equal(meter.timed, 0)
  for (let index = 0; index < 7; index += 1) calls.measured(100)
  t.equal(calls.nanoseconds, 800)
  calls.measured(100)
  t.equal(calls.nanoseconds, 100)
  t.end()
})
