import { test } from 'tap'
import { Bounded, type OwnedEntry } from '../../src/history/postgres/bounded.js'
import { seriesId } from '../../src/history/rollups/series-id.js'
import { entryOf, resolverNamed, SERVICE } from './simulated.js'

const entry = (name: string, calls: number, service = SERVICE): OwnedEntry => ({
  ...entryOf(
    resolverNamed(name),
    Array.from({ length: calls }, () => 1e6)
  ),
  service
})
const countOf = (entries: Iterable<{ readonly rollup: OwnedEntry['rollup'] }>): number =>
  [...entries].reduce((sum, { rollup }) => sum + rollup.times.count, 0)

test('of more names than there may be those that most came to are kept, and the rest is one', async t => {
  const bounded = new Bounded(1, 3)
  const all = [1, 2, 3, 4, 5, 6].map(calls => entry(`Query.r${calls}`, calls))
  const kept = await bounded.keep([...all, entry('Query.other', 7, 'another service')])
  t.strictSame(kept.map(({ rollup }) => rollup.times.count).sort(), [4, 5, 6, 7])
  t.equal(countOf(bounded.rest.entries.values()), 6)
  const [rest] = bounded.rest.entries.values()
  const overflow = { kind: 'resolvers' as const, name: '(other)', labels: null, isOverflow: true }
  t.equal(rest?.id, seriesId(SERVICE, overflow), 'together with what instances could not tell apart')
})

test('what comes in parts is bounded together, and nothing of the rest is lost', async t => {
  const bounded = new Bounded(2, 4)
  const first = await bounded.keep([1, 2, 3].map(calls => entry(`Query.a${calls}`, calls)))
  const second = await bounded.keep([4, 5, 6].map(calls => entry(`Query.b${calls}`, calls)))
  t.strictSame([...first, ...second].map(({ rollup }) => rollup.times.count).sort(), [2, 3, 5, 6])
  t.equal(countOf(bounded.rest.entries.values()), 5)
})
