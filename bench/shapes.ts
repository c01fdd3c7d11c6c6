import { createHash } from 'node:crypto'

/** What is asked; `batch` is how many operations are executed between two turns of the event loop. */
export const shapes = {
  S: { query: '{ hello }', batch: 1000, about: '`{ hello }`, in process' },
  M: {
    query: '{ users(n: 20) { id name email upper posts { id title } } }',
    batch: 50,
    about: '20 users, 41 resolver calls, in process'
  },
  L: {
    query: '{ users(n: 500) { id name email upper posts { id title } } }',
    batch: 4,
    about: '500 users, 1,001 resolver calls, in process'
  },
  HTTP: {
    query: '{ authors { id name md5 books { id name } } }',
    batch: 0,
    about: '20 authors with 3 books each, 41 resolver calls, over HTTP'
  }
} as const

export type ShapeName = keyof typeof shapes

export const schema = `
  type Query { hello: String  users(n: Int!): [User!]!  authors: [Author!]! }
  type User { id: ID! name: String email: String upper: String posts: [Post!]! }
  type Post { id: ID! title: String }
  type Author { id: ID! name: String! company: String! md5: String! books: [Book!]! }
  type Book { id: ID! name: String! numPages: Int! }
`

const authors = Array.from({ length: 20 }, (_author, id) => ({
  id,
  name: `Author ${id}`,
  company: `Company ${id}`,
  library: [1, 2, 3].map(book => ({ id: `${id}-${book}`, name: `book${book}.example.org`, numPages: 100 * book + id }))
}))

type Author = (typeof authors)[number]

export const resolvers = {
  Query: {
    hello: () => 'hello',
    users: (_: unknown, { n }: { n: number }) =>
      Array.from({ length: n }, (_user, id) => ({ id, name: `user ${id}`, email: `user${id}@example.org` })),
    authors: () => authors
  },
  User: {
    upper: ({ name }: { name: string }) => name.toUpperCase(),
    posts: async ({ id }: { id: number }) => Promise.resolve([{ id, title: 'one' }])
  },
  Author: {
    md5: ({ name }: Author) => createHash('md5').update(name).digest('hex'),
    books: async ({ library }: Author) => Promise.resolve(library)
  }
}

export type Resolvers = typeof resolvers
