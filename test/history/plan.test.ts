import fc from 'fast-check'
import { test } from 'tap'
import { finestAt, planFor, wholeWindows } from '../../src/history/postgres/plan.js'
import { floorTo, HOURS, MINUTES } from '../../src/history/postgres/tables.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const retention = { minutes: 24 * 3600, hours: 30 * 86_400, days: 400 * 86_400 }
const NOW = Date.UTC(2026, 10, 25, 12, 30, 20)

test('every minute of a range is in one window, and every window in one step', t => {
  const steps = [Infinity, MINUTE, 5 * MINUTE, 90 * MINUTE, HOUR, 100 * MINUTE, 36 * HOUR, DAY, 7 * DAY]
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 45 * 24 * 60 }),
      fc.integer({ min: 1, max: 45 * 24 * 60 }),
      fc.constantFrom(...steps),
      fc.integer({ min: 0, max: 5 }),
      (one, other, step, share) => {
        const [from, to] = [NOW - (Math.max(one, other) + 1) * MINUTE, NOW - Math.min(one, other) * MINUTE]
        const finest = (time: number) => finestAt(time, retention, NOW)
        // What cannot be answered that finely is refused before.
        if (step !== Infinity && step % finest(from).width !== 0) return
        const range = wholeWindows({ from, to }, retention, NOW)
        // Idle windows are never merged.
        const isMerged = (name: string, at: number): boolean => (at / MINUTE + name.length) % 6 < share
        const { merged, minutes } = planFor(range, step, isMerged, finest)
        const windows = [
          ...merged.flatMap(({ tier, at }) => at.map(begin => ({ begin, width: tier.width }))),
          ...minutes.map(begin => ({ begin, width: MINUTE }))
        ].sort((first, second) => first.begin - second.begin)
        let covered = range.from
        for (const { begin, width } of windows) {
          if (begin < covered) throw new Error(`${new Date(begin).toISOString()} is in two windows`)
          for (let gap = covered; gap < begin; gap += finest(gap).width) {
            if (finest(gap) === MINUTES) throw new Error(`${new Date(gap).toISOString()} is in none`)
          }
          if (step !== Infinity && floorTo(step, begin) !== floorTo(step, begin + width - 1)) {
            throw new Error(`${new Date(begin).toISOString()} is in two steps`)
          }
          covered = begin + width
        }
        for (let gap = covered; gap < range.to; gap += finest(gap).width) {
          if (finest(gap) === MINUTES) throw new Error(`${new Date(gap).toISOString()} is in none`)
        }
        if (covered > range.to) throw new Error('it ends after the range')
      }
    ),
    { numRuns: 2000 }
  )
  t.end()
})

test('a range as long as minutes are kept is told by minutes, from its first one on', t => {
  const finest = (time: number) => finestAt(time, retention, NOW)
  const range = { from: NOW - DAY + MINUTE, to: NOW - HOUR }
  const { minutes } = planFor(wholeWindows(range, retention, NOW), Infinity, () => false, finest)
  t.equal(minutes[0], floorTo(MINUTE, range.from))
  t.equal(minutes.length, 23 * 60)
  t.equal(finest(NOW - DAY), MINUTES)
  t.equal(finest(NOW - DAY - HOUR), HOURS)
  t.end()
})
