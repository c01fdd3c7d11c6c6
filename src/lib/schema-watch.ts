/** Who is told of changes, by the `app.graphql` whose schema they are in. */
const watchers = new WeakMap<object, () => void>()

/** Has `changed` called whenever a schema of `host` that was executed already may have other resolvers. */
export function watchSchema(host: object, changed: () => void): void {
  watchers.set(host, changed)
}

/** Whether somebody watches: the plugin is registered once for each `host`. */
export function isWatched(host: object): boolean {
  return watchers.has(host)
}

/** Says that resolvers may have been put into a schema of `host` that was executed already. */
export function schemaChanged(host: object): void {
  watchers.get(host)?.()
}
