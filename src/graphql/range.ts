import { PerformanceError } from '../errors.js'
import { readSeconds, shown } from '../lib/parse.js'
import type { Tier, TimeRange } from '../store/history.js'

export interface RangeArguments {
  readonly from?: string | null
  readonly to?: string | null
  readonly step?: string | null
}

/** A range that is checked, and the length of the steps of what is drawn over it; all in milliseconds. */
export interface CheckedRange extends TimeRange {
  readonly step: number
}

const MOST_STEPS = 1500
const STEPS = 60
const TIME = 'an ISO 8601 time such as 2026-11-25T12:00:00Z, a time before now such as -24h or -30m, or now'

/**
 * The range that is asked for; `span` seconds up to now where nothing is. `tiers` say how finely something is known for
 * how long.
 *
 * @throws PerformanceError MPERF_ARGUMENT_INVALID naming the bound that was passed
 */
export function checkedRange(
  { from, to, step }: RangeArguments,
  tiers: readonly Tier[],
  now: number,
  span: number
): CheckedRange {
  const end = Math.min(timeOf('to', to ?? 'now', now), now)
  const longest = Math.max(...tiers.map(({ retention }) => retention))
  if (end < now - longest * 1000) {
    throw invalid(`to is ${shown(to)}: expected at most ${inWords(longest)} ago, nothing is kept for longer`)
  }
  const begin = isMissing(from) ? Math.max(end - span * 1000, now - longest * 1000) : timeOf('from', from, now)
  if (begin > now) throw invalid(`from is ${shown(from)}: expected a time that is over, it is ${iso(now)}`)
  if (begin === end) throw invalid(`the range is empty, from and to are both ${iso(end)}: expected from before to`)
  if (begin > end) throw invalid(`from is ${iso(begin)} and to is ${iso(end)}: expected from before to`)
  if (begin < now - longest * 1000) {
    throw invalid(
      `from is ${shown(from ?? iso(begin))}: expected at most ${inWords(longest)} ago, nothing is kept for longer`
    )
  }
  const range = { from: begin, to: end }
  return { ...range, step: stepOf(step, range, tiers, now) }
}

function stepOf(step: string | null | undefined, { from, to }: TimeRange, tiers: readonly Tier[], now: number): number {
  const finest = tiers.find(({ retention }) => from >= now - retention * 1000)?.width ?? 1
  const length = (to - from) / 1000
  if (step === null || step === undefined) return Math.max(1, Math.ceil(length / STEPS / finest)) * finest * 1000
  const seconds = readSeconds(step)
  if (seconds === undefined || !(seconds > 0)) {
    throw invalid(`step is ${shown(step)}: expected a length of time such as 60, 5m, 1h or 1d`)
  }
  if (seconds % finest !== 0) {
    throw invalid(
      `step is ${shown(step)}: expected a multiple of ${inWords(finest)}, the finest that is kept of ${iso(from)}`
    )
  }
  if (length / seconds > MOST_STEPS) {
    const least = Math.ceil(length / MOST_STEPS / finest) * finest
    throw invalid(`step is ${shown(step)}: expected at least ${inWords(least)}, for no more than ${MOST_STEPS} steps`)
  }
  return seconds * 1000
}

function timeOf(argument: 'from' | 'to', text: string, now: number): number {
  if (text === 'now') return now
  const ago = text.startsWith('-') ? readSeconds(text.slice(1)) : undefined
  const time = ago === undefined ? parsed(text) : now - ago * 1000
  if (Number.isNaN(time)) throw invalid(`${argument} is ${shown(text)}: expected ${TIME}`)
  return time
}

const TIME_PARTS = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|([+-]\d\d)(?::?(\d\d))?)?)?$/i

/**
 * A time without a zone is that of UTC: the same question means the same on every machine. Between date and time a space
 * will do, as in logs. What else V8 understands it takes for local time, so it is refused.
 */
function parsed(text: string): number {
  const [, date, time, hours, minutes = '00'] = TIME_PARTS.exec(text) ?? []
  if (date === undefined) return NaN
  return Date.parse(time === undefined ? date : `${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`)
}

function isMissing(text: string | null | undefined): text is null | undefined {
  return text === null || text === undefined
}

function iso(time: number): string {
  return Number.isFinite(time) && Math.abs(time) < 8.64e15 ? new Date(time).toISOString() : String(time)
}

/** The largest unit that leaves a whole number. */
function inWords(seconds: number): string {
  const [unit, length] = (
    [
      ['d', 86_400],
      ['h', 3600],
      ['m', 60]
    ] as const
  ).find(([, found]) => seconds % found === 0) ?? ['s', 1]
  return `${seconds / length}${unit}`
}

function invalid(problem: string): PerformanceError {
  return new PerformanceError('MPERF_ARGUMENT_INVALID', problem)
}
