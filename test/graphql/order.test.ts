import { test } from 'tap'
import { ordered } from '../../src/graphql/selection.js'
import { manualClock } from '../clock.js'
import { spanSource } from '../spans/spans.js'

test('LAST_EXECUTION puts the newest first, and last what was only counted and has no time', t => {
  const clock = manualClock()
  const { monitor, resolver } = spanSource({}, { clock })
  for (const field of ['old', 'untimed', 'newer', 'untimedToo', 'newest']) {
    clock.advance(1)
    if (field.startsWith('untimed')) monitor.counted(`Query.${field}`, false, 0)
    else resolver('Query', field)
  }
  const { resolvers } = monitor.snapshot({ include: ['resolvers'] })
  t.equal(resolvers.filter(({ lastExecution }) => lastExecution === null).length, 2)
  for (const rows of [resolvers, [...resolvers].reverse()]) {
    const names = ordered(rows, { orderBy: 'LAST_EXECUTION' }).map(({ name }) => name)
    t.strictSame(names.slice(0, 3), ['Query.newest', 'Query.newer', 'Query.old'])
  }
  monitor.close()
  t.end()
})
