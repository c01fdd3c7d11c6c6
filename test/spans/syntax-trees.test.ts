import '../preload.js'
import { execute, parse } from 'graphql'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { service } from '../service.js'

const schema = 'type Query { quick: Int }'
const resolvers = { Query: { quick: () => 1 } }

for (const jit of [0, 1]) {
  test(`syntax trees that clients send as JSON do no harm and are measured; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit })
    t.teardown(() => app.close())
    const tree = JSON.parse(JSON.stringify(parse('query Tree { quick }'))) as { loc?: object }
    const crafted = { ...tree, loc: { ...tree.loc, startToken: { next: { line: 4e8, kind: 'Name', value: 'x' } } } }
    const places = [0, 1, null, 'x', '', true, false, [], ['startToken'], {}].map(loc => ({ ...tree, loc }))
    const faults = processMonitor().faults.faults
    for (const document of [tree, crafted, ...places]) {
      for (let round = 0; round < 3; round += 1) {
        const payload = { query: JSON.stringify(document) }
        const { statusCode } = await app.inject({ method: 'POST', url: '/graphql', payload })
        t.equal(statusCode, 200)
      }
    }
    t.equal(processMonitor().faults.faults, faults)
    const [operation] = processMonitor().snapshot({ include: ['operations'], name: 'Tree' }).operations
    t.equal(operation?.count, (jit + 1) * 3 * (2 + places.length))
  })
}

for (const jit of [0, 1]) {
  test(`syntax trees in which something is missing are no faults, and measured where they run; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit })
    t.teardown(() => app.close())
    const before = processMonitor().faults.faults
    const name = `Gaps${jit}`
    const tree = JSON.parse(JSON.stringify(parse(`query ${name} { quick }`))) as { definitions: object[] }
    const [definition] = tree.definitions as [{ selectionSet: { selections: object[] } }]
    const withSet = (selectionSet: unknown): object => ({ ...tree, definitions: [{ ...definition, selectionSet }] })
    const withSelection = (selection: unknown): object =>
      withSet({ kind: 'SelectionSet', selections: [...definition.selectionSet.selections, selection] })
    const malformed = [
      ...[undefined, null, 7, 'x', {}, { kind: 'SelectionSet' }, { kind: 'SelectionSet', selections: 'quick' }].map(
        withSet
      ),
      ...[null, 7, 'x', {}, { kind: 'Field' }, { kind: 'FragmentSpread' }, { kind: 'InlineFragment' }].map(
        withSelection
      ),
      ...[7, 'x', null, {}, [null], [7], [{ kind: 'FragmentDefinition' }, ...tree.definitions]].map(definitions => ({
        ...tree,
        definitions
      }))
    ]
    for (const document of [...malformed, ...malformed]) {
      const payload = { query: JSON.stringify(document) }
      await app.inject({ method: 'POST', url: '/graphql', payload })
      await Promise.resolve()
        .then(() => execute({ schema: app.graphql.schema, document: document as never, contextValue: { app } }))
        .catch(() => undefined)
    }
    t.equal(processMonitor().faults.faults, before)
    const counted = (): number => processMonitor().snapshot({ include: ['operations'], name }).operations[0]?.count ?? 0
    const counts = counted()
    const known = withSelection({ kind: 'Nonsense' })
    t.match(await execute({ schema: app.graphql.schema, document: known as never, contextValue: { app } }), {
      data: { quick: Number }
    })
    t.equal(counted(), counts + 1, 'an engine passes over kinds that it does not know, and so do we')
  })
}

for (const jit of [0, 1]) {
  test(`an operation of a type that GraphQL has not, or of no name that is one, is nobody's; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit })
    t.teardown(() => app.close())
    const tree = JSON.parse(JSON.stringify(parse('query Forged { quick }'))) as { definitions: object[] }
    const [definition] = tree.definitions
    const before = processMonitor().store.operations.overflowed
    const faults = processMonitor().faults.faults
    const forged = [
      { operation: 'hunter2 '.repeat(1000) },
      { operation: { toString: 'hunter2' } },
      { operation: ['query'] },
      { operation: '(other)' },
      { operation: 'constructor' },
      { name: { kind: 'Name', value: 2 } }
    ]
    for (const part of forged) {
      const document = { ...tree, definitions: [{ ...definition, ...part }] }
      for (let round = 0; round < 3; round += 1) {
        const payload = { query: JSON.stringify(document) }
        await app.inject({ method: 'POST', url: '/graphql', payload })
      }
    }
    t.equal(processMonitor().faults.faults, faults, 'nothing is thrown')
    const { operations } = processMonitor().snapshot({ include: ['operations'] })
    t.notMatch(JSON.stringify(operations), 'hunter2')
    t.strictSame(
      operations.filter(({ operationType }) => operationType !== 'query'),
      []
    )
    t.equal(processMonitor().store.operations.overflowed, before)
    await app.inject({ method: 'POST', url: '/graphql', payload: { query: `query Afterwards${jit} { quick }` } })
    t.match(processMonitor().snapshot({ include: ['operations'], name: `Afterwards${jit}` }).operations, [{ count: 1 }])
  })
}

/** The text of a syntax tree; `JSON.stringify` has no room for one that is this deep. */
function deepTree(name: string, depth: number): string {
  const open = '{"kind":"InlineFragment","selectionSet":{"kind":"SelectionSet","selections":['
  const field = '{"kind":"Field","name":{"kind":"Name","value":"quick"}}'
  const selections = `${open.repeat(depth)}${field}${']}}'.repeat(depth)}`
  return (
    `{"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query",` +
    `"name":{"kind":"Name","value":"${name}"},"selectionSet":{"kind":"SelectionSet","selections":[${selections}]}}]}`
  )
}

for (const jit of [0, 1]) {
  test(`a syntax tree is measured however deep it is, if it can be executed; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit })
    t.teardown(() => app.close())
    const faults = processMonitor().faults.faults
    const outcomes: string[] = []
    for (const depth of [500, 1000, 1500, 2000, 2500, 3000, 4000, 6000, 9000, 12_000]) {
      const name = `Depth${depth}Jit${jit}`
      const calls = (): number => processMonitor().snapshot({ name: 'Query.quick' }).resolvers[0]?.count ?? 0
      const before = calls()
      const payload = { query: deepTree(name, depth) }
      const response = await app.inject({ method: 'POST', url: '/graphql', payload })
      const isAnswered = response.json<{ data?: { quick?: number } | null }>().data?.quick === 1
      outcomes.push(`${depth}: ${isAnswered ? 'answered' : response.body.slice(0, 80)}`)
      t.equal(calls() - before, isAnswered ? 1 : 0, `${depth}: the call`)
      const { operations } = processMonitor().snapshot({ include: ['operations'], name })
      if (isAnswered) t.match(operations, [{ count: 1, errorCount: 0 }], `${depth}: the operation`)
    }
    t.comment(outcomes.join('\n'))
    t.match(outcomes[1], 'answered')
    t.equal(processMonitor().faults.faults, faults)
  })
}
