/** Ten megabytes that live as long as the process, and nothing else: what more code is to the garbage collector. Preloaded. */
const kept = Array.from({ length: 100_000 }, (_item, id) => ({ id, text: `item ${id}` }))

Object.assign(globalThis, { kept })
