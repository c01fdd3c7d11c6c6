/** A Mercurius service, in a process of its own for each arm, since an instrumentation patches its whole process. */
import Fastify, { type FastifyInstance } from 'fastify'
import mercurius from 'mercurius'
import { resolvers, schema, type Resolvers } from '../shapes.js'
import { serve } from './serve.js'

/** What the module of an arm may export. */
export interface ArmModule {
  /** Called once Mercurius is registered. */
  readonly register?: (app: FastifyInstance) => unknown
  /** What the service is given in the place of its resolvers. */
  readonly wrap?: (resolvers: Resolvers) => Resolvers
  /** Called for every operation in process. */
  readonly around?: <Result>(run: () => Result) => Result
}

const { BENCH_MODULE, BENCH_JIT } = process.env

const arm = BENCH_MODULE === undefined ? {} : ((await import(BENCH_MODULE)) as ArmModule)
const app = Fastify()
await app.register(mercurius, {
  schema,
  resolvers: arm.wrap?.(resolvers) ?? resolvers,
  jit: BENCH_JIT === undefined ? 0 : 1
})
await arm.register?.(app)
const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))

const { around } = arm
const execute = (query: string): Promise<unknown> => app.graphql(query)
await serve(around === undefined ? execute : query => around(() => execute(query)), Number(url.port))
