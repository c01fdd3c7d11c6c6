import fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Location } from 'graphql'
import { mercurius, type MercuriusOptions } from 'mercurius'
import mercuriusPerformance, { type PluginOptions } from 'mercurius-performance'
import type { Pool } from 'pg'
import { registerCache } from './cache.js'
import { formatErrors, maskError, toPublicError } from './error-formatter.js'
import { TrackerError } from './errors.js'
import { addHealthRoutes } from './health.js'
import {
  createValidateOptions,
  createValidationRules,
  DOCUMENT_CACHE_SIZE,
  parseOptions,
  serverLimits,
  socketLimits,
  type SocketLimits
} from './limits.js'
import { createLoaders, createResolvers } from './resolvers.js'
import { schema } from './schema.js'
import { checkSubscription } from './socket-messages.js'
import { guardSockets } from './sockets.js'

export interface TrackerOptions {
  readonly pool: Pool
  /** As Fastify's option; default: none. */
  readonly logger?: FastifyServerOptions['logger']
  /** Options of mercurius-performance; the environment fills what they leave out. */
  readonly performance?: PluginOptions
  /** Without introspection, GraphiQL and suggestions. Default: whether NODE_ENV is `production`. */
  readonly production?: boolean
  /** After how many executions graphql-jit compiles a document; 0, the default, leaves all to graphql-js. */
  readonly jit?: number
  /** Default: `socketLimits`. */
  readonly sockets?: SocketLimits
}

/** The Tracker API, ready to listen. It does not own the pool. */
export async function createTracker({
  pool,
  logger,
  performance,
  production,
  jit = 0,
  sockets = socketLimits
}: TrackerOptions): Promise<FastifyInstance> {
  const app = fastify({
    ...serverLimits,
    logger: logger ?? false,
    // A line for every request would drown what mercurius-performance has to say about the slow ones.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle'
  })
  pool.on('error', error => {
    app.log.warn({ code: (error as Error & { code?: unknown }).code }, 'an idle connection to Postgres was lost')
  })
  await registerGraphQL(app, { pool, production: production ?? process.env.NODE_ENV === 'production', jit, sockets })
  await app.register(mercuriusPerformance, performance ?? {})
  await registerCache(app)
  addHealthRoutes(app, pool)
  return app
}

async function registerGraphQL(
  app: FastifyInstance,
  { pool, production, jit, sockets }: Required<Pick<TrackerOptions, 'pool' | 'production' | 'jit' | 'sockets'>>
): Promise<void> {
  const validationRules = createValidationRules({ production, jit })
  const validateOptions = createValidateOptions(production)
  const verifyClient = guardSockets(
    app,
    message =>
      checkSubscription(app.graphql.schema, message, validationRules, validateOptions).map(error =>
        toPublicError(error, app.log)
      ),
    sockets
  )
  const options: MercuriusOptions = {
    schema,
    resolvers: createResolvers(pool, (error, path) => maskError(error, path, app.log)),
    loaders: createLoaders(pool),
    errorFormatter: formatErrors,
    validationRules,
    cache: DOCUMENT_CACHE_SIZE,
    jit,
    graphql: { parseOptions, validateOptions },
    allowBatchedQueries: false,
    graphiql: !production,
    // Mercurius keeps mutations from GET alone, and HEAD would run them.
    additionalRouteOptions: { exposeHeadRoute: false },
    // Scripts cannot set Sec- headers: this one proves a WebSocket handshake, whose Origin is checked too.
    csrfPrevention: { requiredHeaders: ['mercurius-require-preflight', 'sec-websocket-key'] },
    subscription: { verifyClient }
  }
  await app.register(mercurius, options)
  app.graphql.addHook('preValidation', (_schema, document) => {
    refuseSyntaxTrees(document)
  })
}

/**
 * Mercurius takes text that is no GraphQL for a syntax tree in JSON, past the limit on tokens. Only the parser makes
 * instances of Location.
 *
 * @throws TrackerError GRAPHQL_PARSE_FAILED
 */
function refuseSyntaxTrees(document: { readonly loc?: unknown } | null): void {
  if (!(document?.loc instanceof Location)) {
    throw new TrackerError('GRAPHQL_PARSE_FAILED', 'query: expected the text of a GraphQL document')
  }
}
