import { CHEAPEST } from './detail.js'

/** Seconds in a row above the budget after which less is measured. */
const SECONDS_OVER = 3
/** Seconds in a row in which more would have fitted, after which more is measured. */
const SECONDS_FITTING = 15
/** What must stay free of the budget for that. */
const HEADROOM = 0.2

export interface BudgetState {
  /** 0 measures everything; see `detail.ts`. */
  readonly level: number
  /** Seconds in a row above the budget. */
  readonly over: number
  /** Seconds in a row in which the richer level would have fitted. */
  readonly fitting: number
  /** Nanoseconds a span at each level, as last seen there. */
  readonly costs: readonly number[]
}

export interface SecondSeen {
  /** Share of a core. */
  readonly overhead: number
  readonly nanosecondsPerSpan: number
}

export const atFullDetail: BudgetState = { level: 0, over: 0, fitting: 0, costs: [] }

/**
 * What is to be measured after a second that cost `seen`: one level less after three seconds in a row above the budget,
 * one more after fifteen in which that, by what it cost a span when it was last measured, would have left a fifth of the
 * budget free.
 */
export function nextState(
  state: BudgetState,
  { overhead, nanosecondsPerSpan }: SecondSeen,
  budget: number
): BudgetState {
  const { level } = state
  const costs = state.costs.slice(0, level).concat(nanosecondsPerSpan)
  const over = overhead > budget ? state.over + 1 : 0
  const fitting = level > 0 && richerOverhead(costs, overhead) <= budget * (1 - HEADROOM) ? state.fitting + 1 : 0
  if (over >= SECONDS_OVER && level < CHEAPEST) return { level: level + 1, over: 0, fitting: 0, costs }
  if (fitting >= SECONDS_FITTING) return { level: level - 1, over: 0, fitting: 0, costs }
  return { level, over, fitting, costs }
}

/** What the same load would cost one level up. */
function richerOverhead(costs: readonly number[], overhead: number): number {
  const [richer = 0, current = 0] = costs.slice(-2)
  return current > 0 ? overhead * Math.max(1, richer / current) : overhead
}
