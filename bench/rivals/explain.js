// Its package asks for Fastify 4, but uses nothing of Fastify that 5 does otherwise.
import explain from 'mercurius-explain'

export const register = app => app.register(explain)
