// Apollo Server, in process through executeOperation; over HTTP through its standalone server.
import { ApolloServer, HeaderMap } from '@apollo/server'
import { ApolloServerPluginInlineTrace } from '@apollo/server/plugin/inlineTrace'
import { startStandaloneServer } from '@apollo/server/standalone'
import { serve } from '../dist/bench/arms/serve.js'
import { resolvers, schema } from '../dist/bench/shapes.js'

const plugins = process.env.BENCH_TRACED === undefined ? [] : [ApolloServerPluginInlineTrace()]
const server = new ApolloServer({ typeDefs: schema, resolvers, plugins })
const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: 0 } })

// The plugin traces only what a router asks it to trace.
const headers = new HeaderMap([['apollo-federation-include-trace', 'ftv1']])
const http = { method: 'POST', headers, search: '', body: '' }

await serve(query => server.executeOperation({ query, http }), Number(new URL(url).port))
