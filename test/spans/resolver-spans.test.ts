import { test } from 'tap'
import { countArguments } from '../../src/spans/ended/arguments.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { spanSource } from './spans.js'

test('resolvers are counted to the unit where there are more of them than are remembered', t => {
  const { monitor, resolver } = spanSource({}, { seriesLimit: 5000 })
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 4500; index += 1) resolver(`Type${index % 3}`, `field${index}`)
  }
  const rows = monitor.snapshot().resolvers
  t.equal(rows.length, 4500)
  t.ok(rows.every(({ count }) => count === 3))
  monitor.close()
  t.end()
})

test('100,000 names of resolvers in spans of another instrumentation take no more memory than a schema has', t => {
  const { monitor, resolver } = spanSource()
  for (let index = 0; index < 2000; index += 1) resolver(`Type${index}`, 'field')
  const bytes = retainedBytes()
  for (let index = 0; index < 100_000; index += 1) resolver('Type', `field${index}`)
  const grown = retainedBytes() - bytes
  t.ok(grown < 4 * MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
  // The processor has to be there until here.
  resolver('Type', 'last')
  t.match(monitor.snapshot({ name: '(other)' }).resolvers, [{ count: 100_001 }])
  monitor.close()
  t.end()
})

test('a slow resolver that only a span of another instrumentation tells of is logged and listed', t => {
  const { monitor, resolver, start } = spanSource({ slowResolverThreshold: 0.5 })
  const warnings: string[] = []
  const write = (): void => undefined
  monitor.logger = { info: write, error: write, warn: (_, message) => warnings.push(message) }
  resolver('Query', 'quick')
  const slow = start('graphql.resolve', { 'graphql.field.name': 'issues', 'graphql.parent.name': 'Query' })
  slow.end(Date.now() + 1000)
  t.match(warnings, [/^PERFORMANCE: Resolver Query\.issues took /])
  t.equal(warnings.length, 1)
  const listed = monitor.snapshot({ slow: 5 }).slow
  t.match(listed, [{ kind: 'RESOLVER', name: 'Query.issues' }])
  t.equal(listed.length, 1)
  monitor.close()
  t.end()
})

test('names that are cut out of long texts keep nothing of them, also past the limit of series', t => {
  const { monitor, resolver } = spanSource({}, { seriesLimit: 10 })
  resolver('Query', 'first')
  const bytes = retainedBytes()
  for (let index = 0; index < 100; index += 1) {
    const text = `${index} a type with a long name and a field with a long name `.padEnd(MEBIBYTE, 'x')
    resolver(text.slice(0, 28), text.slice(30, 58))
  }
  const grown = retainedBytes() - bytes
  t.ok(grown < 4 * MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
  // The processor has to be there until here.
  resolver('Query', 'first')
  t.match(monitor.snapshot({ name: 'Query.first' }).resolvers, [{ count: 2 }])
  monitor.close()
  t.end()
})

test('arguments of a field are counted from its text', t => {
  const cases: [string, number][] = [
    ['issues', 0],
    ['issues { id(a: 1) }', 0],
    ['issues(first: *)', 1],
    ['open: issues(first: *, filter: {status: OPEN, label: {name: *}}, tags: [*, *]) { id }', 3],
    ['issues(text: "*, fake: )", first: *) { comments(first: *) { id } }', 2],
    ['issues @include(if: $x)', 0],
    ['issues(', 0],
    ['issues(text: "unterminated', 1],
    ['', 0]
  ]
  for (const [source, count] of cases) t.equal(countArguments(source), count, source)
  t.end()
})
