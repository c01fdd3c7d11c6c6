import type { FastifyInstance } from 'fastify'
import { mercuriusPerformance } from 'mercurius-performance'

export const register = (app: FastifyInstance): PromiseLike<unknown> => app.register(mercuriusPerformance)
