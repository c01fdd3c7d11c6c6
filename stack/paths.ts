import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
/** The folder `stack/`, whether its sources run or what `dist/` has of them. */
const room = basename(here) === 'dist' ? dirname(here) : here
const root = dirname(room)

/** A file of `stack/`. */
export const inRoom = (...names: string[]): string => join(room, ...names)

/** A file at the top of the repository. */
export const inRoot = (...names: string[]): string => join(root, ...names)

/** Where what Go has built is kept, unless the environment names another folder. */
export const CACHE = process.env.STACK_CACHE ?? inRoot('.cache', 'stack')
