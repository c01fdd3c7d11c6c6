import { atFullDetail, nextState, type BudgetState } from './budget.js'
import { detailAt, type DetailLevel } from './detail.js'
import type { SelfMeter } from './meter.js'

/** Until so many times were taken at a level, nothing is known of what it costs. */
const ENOUGH_TIMES = 16

export type Announce = (level: 'info' | 'warn', fields: object, message: string) => void

/** Keeps what measuring takes within the budget, second by second. */
export class DetailControl {
  detail: DetailLevel = detailAt(0)
  /** Monotonic nanoseconds since when it is so. */
  since: number
  readonly #meter: SelfMeter
  readonly #announce: Announce
  #state: BudgetState = atFullDetail

  constructor(meter: SelfMeter, now: number, announce: Announce) {
    this.#meter = meter
    this.since = now
    this.#announce = announce
  }

  /** Decides after each second, which the meter has ended. A `budget` of 0 is none. */
  tick(budget: number, now: number): void {
    const before = this.#state
    this.#state = this.#decide(budget)
    if (this.#state.level === before.level) return
    this.detail = detailAt(this.#state.level)
    this.since = now
    this.#meter.restart()
    this.#say(this.#state.level > before.level ? 'warn' : 'info', budget)
  }

  #decide(budget: number): BudgetState {
    if (budget === 0) return atFullDetail
    const { timed, overheadNow, nanosecondsPerSpan } = this.#meter
    if (timed < ENOUGH_TIMES && overheadNow > budget) return this.#state
    return nextState(this.#state, { overhead: overheadNow, nanosecondsPerSpan }, budget)
  }

  #say(level: 'info' | 'warn', budget: number): void {
    const { name, sampleEvery } = this.detail
    const overhead = this.#meter.overheadNow
    const allowed = budget === 0 ? 'without a budget' : `with a budget of ${percent(budget)}`
    this.#announce(
      level,
      { overhead, budget: budget === 0 ? null : budget, detail: name, sampleRate: 1 / sampleEvery },
      `PERFORMANCE: measuring takes ${percent(overhead)} of a core ${allowed}: ${meaningOf(this.detail)}`
    )
  }
}

function meaningOf({ name, sampleEvery }: DetailLevel): string {
  switch (name) {
    case 'FULL':
      return 'everything is measured again'
    case 'WITHOUT_CONTEXT':
      return 'SQL is attributed to operations and not to resolvers; every resolver call is timed'
    case 'SAMPLED':
      return `one resolver call in ${sampleEvery} is timed; all are counted`
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`
}
