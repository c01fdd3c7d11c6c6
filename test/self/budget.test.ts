import { test } from 'tap'
import { atFullDetail, nextState, type BudgetState } from '../../src/self/budget.js'
import { CHEAPEST, detailAt } from '../../src/self/detail.js'
import { seededRandom } from '../random.js'

/** What a span costs at each level: with a context, without, and where one call in 2, 4, ... 64 is timed. */
const COSTS = [1000, 500, 300, 200, 150, 125, 112, 106]
const BUDGET = 0.05

interface Run {
  readonly state: BudgetState
  /** The level after each second. */
  readonly levels: readonly number[]
}

/** Lets seconds pass in which so many spans came. */
function run(loads: readonly number[], from: BudgetState = atFullDetail, budget = BUDGET): Run {
  let state = from
  const levels = loads.map(spans => {
    const nanosecondsPerSpan = COSTS[state.level] ?? NaN
    state = nextState(state, { overhead: (spans * nanosecondsPerSpan) / 1e9, nanosecondsPerSpan }, budget)
    return state.level
  })
  return { state, levels }
}

function seconds(count: number, spans: number): number[] {
  return Array.from({ length: count }, () => spans)
}

function changesIn(levels: readonly number[]): number {
  return levels.filter((level, index) => level !== (levels[index - 1] ?? 0)).length
}

test('the levels: contexts go first, then times, down to one in 64', t => {
  t.strictSame(
    Array.from({ length: CHEAPEST + 1 }, (_, level) => detailAt(level)),
    [
      { name: 'FULL', context: true, sampleEvery: 1 },
      { name: 'WITHOUT_CONTEXT', context: false, sampleEvery: 1 },
      ...[2, 4, 8, 16, 32, 64].map(sampleEvery => ({ name: 'SAMPLED', context: false, sampleEvery }))
    ]
  )
  t.end()
})

test('within the budget everything is measured', t => {
  t.strictSame(new Set(run(seconds(1000, 49_999)).levels), new Set([0]))
  t.end()
})

test('a spike of two seconds changes nothing, three in a row do', t => {
  const spikes = Array.from({ length: 300 }, (_, second) => (second % 3 === 0 ? 10_000 : 500_000))
  t.equal(changesIn(run(spikes).levels), 0)
  t.strictSame(run(seconds(4, 60_000)).levels, [0, 0, 1, 1])
  t.end()
})

test('a load that rises step by step meets one level after another, no more than it takes', t => {
  const loads = [40_000, 70_000, 150_000, 240_000, 320_000].flatMap(spans => seconds(60, spans))
  const { levels } = run(loads)
  t.strictSame(
    [59, 119, 179, 239, 299].map(second => levels[second]),
    [0, 1, 2, 3, 4]
  )
  t.strictSame(
    [...levels].sort((one, other) => one - other),
    levels,
    'never back in between'
  )
  t.end()
})

test('a load that no level can bear ends at the cheapest, within half a minute', t => {
  const { levels } = run(seconds(300, 10_000_000))
  t.equal(levels[3 * CHEAPEST - 1], CHEAPEST)
  t.equal(levels.at(-1), CHEAPEST)
  t.end()
})

test('when the load falls it comes back step by step to everything', t => {
  const high = run(seconds(60, 1_000_000))
  t.equal(high.state.level, CHEAPEST)
  const { levels } = run(seconds(15 * CHEAPEST, 1000), high.state)
  t.strictSame(
    levels.filter((_, second) => second % 15 === 14),
    Array.from({ length: CHEAPEST }, (_, step) => CHEAPEST - 1 - step)
  )
  t.end()
})

test('it does not come back to what would be above the budget at once', t => {
  // With contexts 55,000 spans take 5.5%, without 2.75%: far below the budget, and yet nothing to go back for.
  const { levels } = run(seconds(3600, 55_000))
  t.equal(changesIn(levels), 1)
  t.equal(levels.at(-1), 1)
  const near = run(seconds(600, 45_000), run(seconds(10, 55_000)).state)
  t.equal(near.levels.at(-1), 1, '4.5% of 5% would leave too little room')
  const below = run(seconds(600, 39_000), near.state)
  t.equal(below.levels.at(-1), 0, '3.9% leave room')
  t.end()
})

test('a load that swings around a bound does not swing the level', t => {
  const random = seededRandom(8)
  for (const mean of [45_000, 50_000, 60_000, 100_000, 160_000]) {
    const loads = Array.from({ length: 3600 }, () => mean * (0.75 + 0.5 * random()))
    const changes = changesIn(run(loads).levels)
    t.ok(changes <= 12, `${mean} spans a second: ${changes} changes in an hour`)
  }
  t.end()
})

test('a minute of high load every ten is one way down and one way up each', t => {
  const { levels } = run(Array.from({ length: 6 }, () => [...seconds(60, 120_000), ...seconds(540, 10_000)]).flat())
  t.equal(Math.max(...levels), 2)
  t.equal(changesIn(levels), 6 * 4)
  t.equal(levels.at(-1), 0)
  t.end()
})

test('where nothing is known of the richer level it is taken to cost the same', t => {
  let state: BudgetState = { level: 1, over: 0, fitting: 0, costs: [] }
  for (let second = 0; second < 15; second += 1) {
    state = nextState(state, { overhead: 0.01, nanosecondsPerSpan: 0 }, BUDGET)
  }
  t.equal(state.level, 0)
  t.end()
})
