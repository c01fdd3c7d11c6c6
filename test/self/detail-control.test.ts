import { test } from 'tap'
import { DetailControl } from '../../src/self/detail-control.js'
import { SelfMeter } from '../../src/self/meter.js'
import { manualClock } from '../clock.js'

function controlled() {
  const clock = manualClock()
  const meter = new SelfMeter(clock)
  const lines: { level: string; fields: object; message: string }[] = []
  const control = new DetailControl(meter, clock.monotonic(), (level, fields, message) => {
    lines.push({ level, fields, message })
  })
  const started = clock.monotonic()
  /** A second of `calls`, each of which takes as long as `costs` has for the detail there is. */
  const second = (calls: number, budget: number, costs: Record<string, number> = {}): void => {
    const { name } = control.detail
    for (let index = 0; index < calls; index += 1) {
      meter.spans += 1
      if (meter.calls.choose()) meter.calls.measured(costs[name] ?? 1000)
    }
    clock.advance(1)
    meter.tick(0)
    control.tick(budget, clock.monotonic())
  }
  const secondsSince = (): number => (control.since - started) / 1e9
  return { control, lines, second, secondsSince }
}

test('each change is told in one line, warn on the way down, info on the way up', t => {
  const { control, lines, second, secondsSince } = controlled()
  const costs = { FULL: 1000, WITHOUT_CONTEXT: 500 }
  for (let index = 0; index < 10; index += 1) second(73_000, 0.05, costs)
  t.match(control.detail, { name: 'WITHOUT_CONTEXT', context: false, sampleEvery: 1 })
  t.equal(secondsSince(), 3)
  for (let index = 0; index < 3; index += 1) second(150_000, 0.05, costs)
  t.match(control.detail, { name: 'SAMPLED', sampleEvery: 2 })
  for (let index = 0; index < 60; index += 1) second(1000, 0.05, costs)
  t.equal(control.detail.name, 'FULL')
  t.strictSame(
    lines.map(({ level, message }) => `${level} ${message}`),
    [
      'warn PERFORMANCE: measuring takes 7.3% of a core with a budget of 5%: SQL is attributed to operations and not to resolvers; every resolver call is timed',
      'warn PERFORMANCE: measuring takes 7.5% of a core with a budget of 5%: one resolver call in 2 is timed; all are counted',
      'info PERFORMANCE: measuring takes 0.1% of a core with a budget of 5%: SQL is attributed to operations and not to resolvers; every resolver call is timed',
      'info PERFORMANCE: measuring takes 0.05% of a core with a budget of 5%: everything is measured again'
    ]
  )
  t.match(lines[1]?.fields, { budget: 0.05, detail: 'SAMPLED', sampleRate: 0.5 })
  t.end()
})

test('until enough was timed at a level, the next one is not tried', t => {
  const { control, second, secondsSince } = controlled()
  // Sixteen times take between 7 and 21 seconds.
  const changes: number[] = []
  for (let index = 0; index < 60; index += 1) {
    const { detail } = control
    second(300, 1e-6)
    if (control.detail !== detail) changes.push(secondsSince())
  }
  t.ok(changes.length >= 2)
  for (const [index, change] of changes.entries()) t.ok(change - (changes[index - 1] ?? 0) >= 7, changes.join())
  t.end()
})

test('without a budget nothing is ever taken away, and what was is back at once when it goes', t => {
  const { control, lines, second } = controlled()
  for (let index = 0; index < 30; index += 1) second(900_000, 0)
  t.equal(control.detail.name, 'FULL')
  t.strictSame(lines, [])
  for (let index = 0; index < 30; index += 1) second(100_000, 0.01)
  t.match(control.detail, { name: 'SAMPLED', sampleEvery: 64 })
  second(100_000, 0)
  t.equal(control.detail.name, 'FULL')
  t.match(lines.at(-1), {
    level: 'info',
    fields: { budget: null },
    message: 'PERFORMANCE: measuring takes 10% of a core without a budget: everything is measured again'
  })
  t.end()
})
