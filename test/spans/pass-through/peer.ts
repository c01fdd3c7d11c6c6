/** Executes cases in a process of its own, which is measured or not as it was started. */
import { buildSchema, parse, validate, type GraphQLSchema } from 'graphql'
import { getAllMetrics } from 'mercurius-performance'
import { setImmediate } from 'node:timers/promises'
import { answerWith } from '../../peer.js'
import { contextScenarios } from './context-scenarios.js'
import { describe, engines, resolveWith, type Operation } from './engines.js'
import { planQuery } from './query.js'
import { readsOfThen, scenarios } from './scenarios.js'
import { planSchema, schemaText, type SchemaPlan } from './schema.js'
import { Tape } from './tape.js'
import { thenScenarios } from './then-scenarios.js'
import { Values } from './values.js'

export interface Case {
  readonly schema: readonly number[]
  readonly query: readonly number[]
}

/** What one engine made of a case. */
export interface Outcome {
  /** The distinct answers with what was called on the way to them; one, where every execution is like the first. */
  readonly answers: readonly string[]
  /** How often each resolver was called in all, by its name. */
  readonly called: readonly [string, number][]
  /** How often the monitor says it was; empty without one. */
  readonly counted: readonly [string, number][]
}

export interface Outcomes {
  readonly schema: string
  readonly query: string
  /** By engine; empty where the query is none for the schema. */
  readonly engines: Record<string, Outcome>
}

export interface ScenarioQuestion {
  readonly scenario: string
  readonly engine: string
}

/** More than the calls after which a resolver is taken for one that never waits. */
const ROUNDS = 36

/** graphql-jit gives no answer where a handler of its own throws. */
const NEVER = 'never'

const unhandled: string[] = []
process.on('unhandledRejection', reason => unhandled.push(`unhandled ${describe(reason)}`))

answerWith(asked => {
  const question = asked as Case | ScenarioQuestion
  if (!('scenario' in question)) return outcomesOf(question)
  const scenario = { ...scenarios, ...thenScenarios, ...contextScenarios, readsOfThen }[question.scenario]
  const engine = engines.get(question.engine)
  if (scenario === undefined || engine === undefined) throw new Error('there is no such scenario or engine')
  return scenario(engine)
})

async function outcomesOf({ schema, query }: Case): Promise<Outcomes> {
  const plan = planSchema(new Tape(schema))
  const request = planQuery(new Tape(query), plan)
  const document = parse(request.text)
  const outcomes: Outcomes = { schema: schemaText(plan), query: request.text, engines: {} }
  if (validate(buildSchema(outcomes.schema), document).length > 0) return outcomes
  for (const [name, engine] of engines) {
    outcomes.engines[name] = await run(plan, request.root, built => engine(built, { ...request, document }))
  }
  return outcomes
}

async function run(plan: SchemaPlan, root: string, prepare: (schema: GraphQLSchema) => Operation): Promise<Outcome> {
  const values = new Values(plan)
  const schema = buildSchema(schemaText(plan))
  const called = new Map<string, number>()
  for (const field of [...plan.types.values()].flat()) {
    if (field.from !== 'resolver') continue
    const name = `${field.parent}.${field.name}`
    resolveWith(schema, field.parent, field.name, function (this: unknown, ...given) {
      called.set(name, (called.get(name) ?? 0) + 1)
      values.log.push(`resolve ${name} ${given.length} ${typeof this} ${JSON.stringify(given[1])}`)
      return values.of(field)
    })
  }
  const before = counts()
  const operation = prepare(schema)
  const answers = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    values.log = []
    const answer = await settled(values, () => operation(values.object(root, 'plain'), {}))
    // What an answer did not wait for may still be running.
    while (values.pending > 0) await setImmediate()
    await setImmediate()
    answers.add([answer, ...values.log, ...unhandled.splice(0)].join('\n'))
    if (answer === NEVER) break
  }
  return { answers: [...answers], called: sorted(called), counted: sorted(since(before, counts())) }
}

/** The answer as text, or that there was none. */
async function settled(values: Values, operation: () => unknown): Promise<string> {
  try {
    const answer = operation()
    if (!(answer instanceof Promise)) return `at once ${JSON.stringify(answer)}`
    return await Promise.race([later(answer), never(values)])
  } catch (error) {
    return `thrown ${describe(error)}`
  }
}

async function later(answer: Promise<unknown>): Promise<string> {
  return `later ${JSON.stringify(await answer)}`
}

/** Everything waits for a value that is still to come, or for no more than a few turns of the event loop. */
async function never(values: Values): Promise<string> {
  for (let idle = 0; idle < 10; idle += 1) {
    await setImmediate()
    if (values.pending > 0) idle = 0
  }
  return NEVER
}

function counts(): Map<string, number> {
  return new Map(getAllMetrics().resolvers.map(({ name, count }) => [name, count]))
}

function since(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Map<string, number> {
  const grown = [...after].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)])
  return new Map(grown.filter(([, count]) => count > 0))
}

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([one], [other]) => (one < other ? -1 : 1))
}
